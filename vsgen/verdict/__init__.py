"""Whether a run's rows are worth keeping: what is observed of its finished draws, and what is found in it."""
