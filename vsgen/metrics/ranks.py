"""Rank correlation: whether two figures put the same things in the same order, whatever their scales.

Spearman's rho (1904): the correlation of the ranks, where ties share the mean of their ranks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def rank_correlation(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Spearman's rho of pairs, from -1 to 1; None where it is not defined.

    Args:
        xs: At least two values, which are not all the same.
        ys: As many, likewise.
    """
    if len(xs) != len(ys):
        raise ValueError(f"{len(xs)} values against {len(ys)}")
    return _correlation(_ranks(xs), _ranks(ys)) if xs else None


def _ranks(values: Sequence[float]) -> list[float]:
    """From 1; equal values share the mean of their places."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for at in order[start:end]:
            ranks[at] = (start + 1 + end) / 2
        start = end
    return ranks


def _correlation(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    x, y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    both = math.fsum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True))
    spread = math.fsum((a - x) ** 2 for a in xs) * math.fsum((b - y) ** 2 for b in ys)
    return both / math.sqrt(spread) if spread > 0 else None
