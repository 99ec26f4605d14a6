"""The batched decoding loop, scoring and teaching, over the arithmetic of any model: no torch, no transformers."""
