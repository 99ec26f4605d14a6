"""label: see vsgen/README.md."""
