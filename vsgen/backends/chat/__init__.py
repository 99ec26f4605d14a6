"""From a prompt to tokens and back, whichever library reads the tokenizer: no torch, no transformers."""
