"""Any causal language model that transformers can read, in process: folders, hub ids and GGUF files, by torch."""
