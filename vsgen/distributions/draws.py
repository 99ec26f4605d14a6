"""Hard targets: answers drawn from a target, by inversion."""

from __future__ import annotations

from random import Random

import numpy as np

from vsgen.distributions.target import Target


def draw(target: Target, seed: int, count: int) -> list[int]:
    """Positions of drawn values: a function of (seed, target's id, number of the draw), whatever else is drawn."""
    rng = Random(f"{seed}/{target.id}")
    reached = np.cumsum(target.probs)
    drawn = np.searchsorted(reached, [rng.random() * reached[-1] for _ in range(count)], side="right")
    positive = np.flatnonzero(target.probs)
    clipped: list[int] = np.minimum(drawn, positive[-1]).tolist()
    return clipped
