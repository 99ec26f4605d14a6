"""Resampling: weighted particles become as many others, of less unequal weights, that stand for the same distribution.

Parents are drawn by tempered weights w^b, and every child carries what is left, w^(1-b) times the mean of w^b: the
expected weight that comes of each particle is its own, whatever b is, so an estimate of Z stays unbiased. b is the
largest exponent in [0, 1] at which the effective sample size of w^b is a given share of the particles. With b = 1, all
weights become equal, as in plain resampling: where weights are very uneven that leaves copies of one particle, long
before anything is known of how it goes on. A smaller b keeps others alive and remembers what they weigh.

Numbers of children are systematic (Carpenter, Clifford and Fearnhead 1999). That parents may be drawn by other numbers
than their weights is the auxiliary particle filter's idea (Pitt and Shephard 1999).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from vsgen.probability import effective_size, log_mean_exp, softmax

_HALVINGS = 40
_NEAR = 1e-9
"""Expected counts this near to a whole number are that number: the difference is the arithmetic's."""


class Offspring(NamedTuple):
    """One particle after resampling."""

    parent: int
    logw: float


def resample(logws: Sequence[float], share: float, rng: Random) -> list[Offspring]:
    """As many particles as before; those of equal parents stand together.

    Args:
        logws: Logarithms of the weights; not all are -inf.
        share: Of the particles, in (0, 1]: the effective sample size that the tempered weights keep where they can.
        rng: The source of one uniform number.
    """
    exponent = tempering(logws, share)
    peak = max(logws)
    tempered = [exponent * (logw - peak) for logw in logws]
    mean = log_mean_exp(tempered)
    return [Offspring(parent, logws[parent] - tempered[parent] + mean) for parent in systematic(tempered, rng)]


def tempering(logws: Sequence[float], share: float) -> float:
    """The largest exponent in (0, 1] at which the effective sample size is at least this share of the particles.

    Where too many weights are zero for that, the exponent is next to nothing: all others are equally likely parents.
    """
    enough, peak = share * len(logws) - _NEAR, max(logws)

    def keeps(exponent: float) -> bool:
        return effective_size([exponent * (logw - peak) for logw in logws]) >= enough

    if keeps(1.0):
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if keeps(middle) else (low, middle)
    return high


def systematic(logws: Sequence[float], rng: Random) -> list[int]:
    """As many parents as particles: each as often as its weight lets expect, to within 1."""
    size = len(logws)
    counts = _counts([size * share for share in softmax(logws)], rng)
    return [parent for parent, count in enumerate(counts) for _ in range(count)]


def _counts(expected: Sequence[float], rng: Random) -> list[int]:
    """Whole numbers with these expectations and their sum: the whole parts, and one more for some, drawn evenly."""
    whole = [math.floor(one + _NEAR) for one in expected]
    rest = [max(0.0, one - count) for one, count in zip(expected, whole, strict=True)]
    missing = len(expected) - sum(whole)
    if not missing:
        return whole
    scale, start, reached = missing / math.fsum(rest), rng.random(), 0.0
    last = max(i for i, one in enumerate(rest) if one)
    for i, one in enumerate(rest):
        before, reached = reached, missing if i == last else reached + one * scale
        whole[i] += math.ceil(reached - start) - math.ceil(before - start)
    return whole
