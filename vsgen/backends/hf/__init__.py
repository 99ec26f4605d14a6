"""Any causal language model of transformers, in process, under a batched decoding loop of our own."""
