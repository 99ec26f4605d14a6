"""Warnings about a template that is valid, but will hardly do what its author means: one rule, one function."""
