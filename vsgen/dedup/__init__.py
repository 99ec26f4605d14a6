"""Which texts repeat a kept one, and where the weight of a repeat goes."""
