"""cli: see vsgen/README.md."""
