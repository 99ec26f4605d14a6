"""dedup: see vsgen/README.md."""
