"""Moves many flows at once, in the order in which they were started."""
