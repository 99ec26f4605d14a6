"""Figures about predictions and distributions, with what chance alone would show."""
