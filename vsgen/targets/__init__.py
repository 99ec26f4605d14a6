"""targets: see vsgen/README.md."""
