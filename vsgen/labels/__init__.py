"""labels: see vsgen/README.md."""
