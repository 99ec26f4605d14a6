"""The probabilistic grammar of the embedded model: data in one file per topic, the mathematics in `source`."""
