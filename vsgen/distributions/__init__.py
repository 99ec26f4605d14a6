"""Prompts whose answers follow a known distribution: families, canonical strings, prefix tries, targets."""
