"""template: see vsgen/README.md."""
