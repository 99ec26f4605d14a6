"""report: see vsgen/README.md."""
