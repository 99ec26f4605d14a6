"""files: see vsgen/README.md."""
