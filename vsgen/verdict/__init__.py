"""Whether a run's rows are worth keeping, by figures of its finished draws: what is observed, and what is found in it."""
