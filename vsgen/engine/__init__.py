"""engine: see vsgen/README.md."""
