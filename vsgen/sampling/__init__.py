"""Methods: how one prompt becomes a distribution of candidates."""
