"""sampling: see vsgen/README.md."""
