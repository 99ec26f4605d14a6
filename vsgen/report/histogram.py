"""A histogram as lines of plain text."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise


def histogram(
    values: Sequence[float], *, bins: int = 20, width: int = 40, low: float | None = None, high: float | None = None
) -> list[str]:
    """Bars of counts, one line per bin: its edges, the bar, the count.

    A bin holds its lower edge and not its upper one, but for the last, which holds both. Every value is counted: those
    outside `low` to `high` have lines of their own.

    Args:
        values: Finite numbers, in any order.
        bins: At least 1.
        width: Characters of the longest bar; a bar of anything has at least one.
        low: The first edge; the smallest value if None.
        high: The last edge; the largest value if None.
    """
    if not values:
        return ["no values"]
    first, last = min(values) if low is None else low, max(values) if high is None else high
    edges = [first + (last - first) * i / bins for i in range(bins)] if first < last else [first]
    places = Counter(_place(value, edges, last) for value in values)
    names = _names(edges, last)
    shown = [at for at in range(-1, len(edges) + 1) if places[at] or 0 <= at < len(edges)]
    most, column = max(places.values()), max(len(names[at]) for at in shown)
    digits = len(str(most))
    return [
        f"{names[at]:<{column}}  {places[at]:>{digits}}  {'#' * math.ceil(width * places[at] / most)}".rstrip()
        for at in shown
    ]


def _place(value: float, edges: Sequence[float], last: float) -> int:
    """The value's bin; -1 below all of them, their number above."""
    return len(edges) if value > last else bisect_right(edges, value) - 1


def _names(edges: Sequence[float], last: float) -> dict[int, str]:
    texts = [f"{edge:.4g}" for edge in (*edges, last)]
    column = max(map(len, texts))
    names = {at: f"{low:>{column}} to {high:>{column}}" for at, (low, high) in enumerate(pairwise(texts))}
    return {**names, -1: f"below {texts[0]}", len(edges): f"above {texts[-1]}"}
