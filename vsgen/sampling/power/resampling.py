"""Resampling: weighted particles become as many others, of less unequal weights, that stand for the same distribution.

Both schemes keep every particle's expected weight, so that an estimate of Z stays unbiased. A weight is carried by its
logarithm and never normalised away: the mean weight before is the mean weight after.

Systematic resampling (Carpenter, Clifford and Fearnhead 1999) makes all weights equal. Chopthin (Gandy and Lau,
arXiv 1502.07532) chops only the heavy particles and thins only the light ones, until no weight is more than RATIO times
another; so more different particles survive.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Literal, NamedTuple, TypeAlias

from vsgen.probability import log_mean_exp, softmax

Scheme: TypeAlias = Literal["systematic", "chopthin"]

RATIO = 3 + math.sqrt(8)
"""Chopthin's largest ratio of weights: the least at which the effective sample size is at least half the particles."""
_HALVINGS = 100
_NEAR = 1e-9
"""Expected counts this near to a whole number are that number: the difference is the arithmetic's."""


class Offspring(NamedTuple):
    """One particle after resampling."""

    parent: int
    logw: float


def resample(scheme: Scheme, logws: Sequence[float], rng: Random) -> list[Offspring]:
    """As many particles as before; those of equal parents stand together."""
    match scheme:
        case "systematic":
            return systematic(logws, rng)
        case "chopthin":
            return chopthin(logws, rng)


def systematic(logws: Sequence[float], rng: Random) -> list[Offspring]:
    """Every particle has a number of offspring within 1 of its expectation, all of the mean weight."""
    size = len(logws)
    mean = log_mean_exp(logws)
    counts = _counts([size * share for share in softmax(logws)], rng)
    return [Offspring(parent, mean) for parent, count in enumerate(counts) for _ in range(count)]


def chopthin(logws: Sequence[float], rng: Random) -> list[Offspring]:
    """Particles below a weight survive by chance and then have that weight; those far above it are cut into parts."""
    size = len(logws)
    shares = [size * share for share in softmax(logws)]
    level = _level(shares)
    counts = _counts([_expected(share, level) for share in shares], rng)
    found: list[Offspring] = []
    for parent, (share, count) in enumerate(zip(shares, counts, strict=True)):
        if count:
            weight = level if share < level else share / count
            found += [Offspring(parent, logws[parent] + math.log(weight / share))] * count
    return found


def _expected(share: float, level: float) -> float:
    """How many offspring a particle has on average: fewer than 1 below the level, 1 above it, more far above it."""
    return share / level if share < level else max(1.0, share / (level * RATIO / 2))


def _level(shares: Sequence[float]) -> float:
    """The level at which the expected number of offspring is the number of particles; bisected, for it falls in it."""
    low, high = 0.0, max(shares)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if math.fsum(_expected(share, middle) for share in shares) > len(shares):
            low = middle
        else:
            high = middle
    return high


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
