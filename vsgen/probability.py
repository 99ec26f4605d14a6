"""Weights that are known by their logarithms, so that 4,000 tokens neither under- nor overflow; draws, seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Final

PSEUDOCOUNT: Final = 0.5
"""What each class counts beside what was seen of it, where shares are probabilities (Jeffreys)."""
_SEED_BITS: Final = 63


def log_mean_exp(logws: Sequence[float]) -> float:
    """The logarithm of the weights' mean; -inf if all are zero."""
    peak = max(logws)
    if peak == -math.inf:
        return peak
    return peak + math.log(math.fsum(math.exp(logw - peak) for logw in logws) / len(logws))


def log_sum_exp(logws: Sequence[float]) -> float:
    """The logarithm of the weights' sum; -inf if all are zero."""
    return log_mean_exp(logws) + math.log(len(logws))


def softmax(logws: Sequence[float]) -> list[float]:
    """The weights' shares of their sum, which sum to 1; equal if all weights are zero."""
    peak = max(logws)
    if peak == -math.inf:
        return [1 / len(logws)] * len(logws)
    weights = [math.exp(logw - peak) for logw in logws]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def logs(probs: Sequence[float]) -> list[float]:
    """Natural logarithms; -inf of 0."""
    return [math.log(p) if p > 0 else -math.inf for p in probs]


def effective_size(logws: Sequence[float]) -> float:
    """Effective sample size: how many equal weights say as much as these; from 1 to their number, 0 if all are zero."""
    if max(logws) == -math.inf:
        return 0.0
    return 1 / math.fsum(share * share for share in softmax(logws))


def invert(probs: Sequence[float], uniform: float) -> int:
    """The first position at which the cumulated probability passes a uniform number in [0, 1)."""
    reached = 0.0
    for at, prob in enumerate(probs):
        reached += prob
        if prob and uniform < reached:
            return at
    return max(at for at, prob in enumerate(probs) if prob)


def new_seed(rng: Random) -> int:
    """The seed of one call."""
    return rng.getrandbits(_SEED_BITS)
