"""Rows in the forms that trainers read: labels as vectors of probabilities, tokens with what their teacher said."""
