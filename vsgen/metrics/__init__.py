"""metrics: see vsgen/README.md."""
