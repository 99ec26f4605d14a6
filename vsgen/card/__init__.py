"""A model's card: how well it does what vsgen asks of models, measured on built-in tasks in a minute or two."""
