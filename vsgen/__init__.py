"""vsgen: synthetic data from YAML templates, by verbalized sampling. The map is in vsgen/README.md."""
