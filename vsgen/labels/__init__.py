"""Soft labels: how a question and its classes become P(class | text), and how such labels are corrected and chosen."""
