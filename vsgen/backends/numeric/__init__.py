"""The embedded model in numpy alone: no torch, no transformers."""
