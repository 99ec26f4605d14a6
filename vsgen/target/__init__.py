"""`vsgen targets`: the composition root of known distributions, from prompts to rows or to a model's measures."""
