"""Power sampling: whole replies drawn from p(x)^alpha / Z, p the model at temperature 1 (arXiv 2510.14901)."""
