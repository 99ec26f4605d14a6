"""How good probabilities are, measured on rows whose right class is known.

A row is a distribution over its own classes, whose number may differ from row to row; `gold` is the position of the
right class. Log loss is in nats. The Brier score sums squared differences over the classes (Brier 1950; 0 to 2, twice
the one-sided score of two classes), the ranked probability score squares the differences of cumulated probabilities
(Epstein 1969). Both and log loss are proper: on average only the true distribution minimises them.

The expected calibration error compares the mean confidence in the likeliest class with how often it is right, bin by
bin (Naeini et al. 2015; Guo et al., arXiv 1706.04599, equation 3). It is not proper, and it is biased upward: perfect
probabilities have a positive error too, the larger the fewer rows a bin has. So it has no standard error here.

Yes-or-no questions about each class are rows of two classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

BINS = 15

_Floats: TypeAlias = NDArray[np.float64]
_Ints: TypeAlias = NDArray[np.int64]


class Estimate(NamedTuple):
    """A mean over rows."""

    value: float
    error: float | None
    """Its standard error; None of a single row or of an infinite value."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of like confidence."""

    lower: float
    """Not in the bin."""
    upper: float
    """In the bin."""
    count: int
    """At least 1."""
    confidence: float
    """Mean probability of the rows' likeliest class."""
    accuracy: float
    """Share of rows whose likeliest class is the right one."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """Confidence against accuracy, bin by bin; bins without a row are left out."""

    bins: tuple[Bin, ...]
    """In the order of confidence."""

    @property
    def n(self) -> int:
        """The number of rows."""
        return sum(one.count for one in self.bins)

    @property
    def error(self) -> float:
        """The expected calibration error: the mean over rows of their bin's |accuracy - confidence|."""
        return math.fsum(one.count * abs(one.accuracy - one.confidence) for one in self.bins) / self.n


@dataclass(frozen=True, slots=True)
class Quality:
    """All that a report says of one set of probabilities."""

    n: int
    accuracy: Estimate
    log_loss: Estimate
    """Nats; infinite if a right class had probability 0."""
    impossible: int
    """Rows whose right class had probability 0: what makes the log loss infinite."""
    brier: Estimate
    ece: float
    """Expected calibration error, `BINS` bins of equal width."""


def quality(probs: Sequence[Sequence[float]], gold: Sequence[int]) -> Quality:
    """Everything at once.

    Args:
        probs: Rows that sum to 1.
        gold: Position of each row's right class.

    Raises:
        ValueError: There is no row, or not exactly one right class for each.
    """
    impossible = sum(row[right] == 0 for row, right in zip(probs, gold, strict=True))
    found = (accuracy(probs, gold), log_loss(probs, gold), impossible, brier(probs, gold))
    return Quality(len(gold), *found, expected_calibration_error(probs, gold))


def accuracy(probs: Sequence[Sequence[float]], gold: Sequence[int]) -> Estimate:
    """The share of rows whose likeliest class, the first of equals, is the right one."""
    table, right = _table(probs, gold)
    return _mean((table.argmax(axis=1) == right).astype(np.float64))


def log_loss(probs: Sequence[Sequence[float]], gold: Sequence[int]) -> Estimate:
    """The mean of -log P(right class), nats; infinite, not clipped, if one right class had probability 0."""
    table, right = _table(probs, gold)
    with np.errstate(divide="ignore"):
        return _mean(-np.log(table[np.arange(len(right)), right]))


def equal_shares_loss(probs: Sequence[Sequence[float]]) -> float:
    """The log loss, nats, of rows that give each of their classes the same probability; needs at least one row."""
    return math.fsum(math.log(len(row)) for row in probs) / len(probs)


def brier(probs: Sequence[Sequence[float]], gold: Sequence[int]) -> Estimate:
    """The mean over rows of the sum over classes of (probability - 1 if right else 0)²; from 0 to 2."""
    table, right = _table(probs, gold)
    table[np.arange(len(right)), right] -= 1
    return _mean((table**2).sum(axis=1))


def ranked_probability_score(probs: Sequence[Sequence[float]], gold: Sequence[int]) -> Estimate:
    """For classes in an order: the mean squared difference of cumulated probabilities; from 0 to 1.

    A row's K - 1 differences are averaged, so that rows with different numbers of classes weigh the same; with two
    classes it is half the Brier score.
    """
    _, right = _table(probs, gold)
    scores = []
    for row, at in zip(probs, right, strict=True):
        reached = np.cumsum(row)[:-1]
        scores.append(float(((reached - (np.arange(len(reached)) >= at)) ** 2).mean()) if len(reached) else 0.0)
    return _mean(np.array(scores))


def expected_calibration_error(probs: Sequence[Sequence[float]], gold: Sequence[int], *, bins: int = BINS) -> float:
    """See `Reliability.error`, and `reliability` for the arguments."""
    return reliability(probs, gold, bins=bins).error


def reliability(probs: Sequence[Sequence[float]], gold: Sequence[int], *, bins: int = BINS) -> Reliability:
    """Group rows by their confidence in their likeliest class.

    Args:
        probs: Rows that sum to 1.
        gold: Position of each row's right class.
        bins: At least 1. Of equal width, they part (0, 1]; each holds its upper edge.
    """
    table, right = _table(probs, gold)
    confidence, hits = table.max(axis=1), table.argmax(axis=1) == right
    edges = np.array([i / bins for i in range(bins + 1)])
    # A sum's rounding may leave a confidence just above 1.
    at = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    made = []
    for i in np.unique(at):
        inside = at == i
        means = float(confidence[inside].mean()), float(hits[inside].mean())
        made.append(Bin(float(edges[i]), float(edges[i + 1]), int(inside.sum()), *means))
    return Reliability(tuple(made))


def _table(probs: Sequence[Sequence[float]], gold: Sequence[int]) -> tuple[_Floats, _Ints]:
    """[rows, most classes], short rows filled up with zeros, which no score counts."""
    if not probs:
        raise ValueError("calibration is measured on at least one row, got none")
    for row, right in zip(probs, gold, strict=True):
        if not 0 <= right < len(row):
            raise ValueError(f"the right class of a row must be one of its {len(row)} classes, got position {right}")
    table = np.zeros((len(probs), max(map(len, probs))))
    for filled, row in zip(table, probs, strict=True):
        filled[: len(row)] = row
    return table, np.array(gold, dtype=np.int64)


def _mean(each: _Floats) -> Estimate:
    value = math.fsum(each) / len(each)
    if len(each) == 1 or not math.isfinite(value):
        return Estimate(value, None)
    return Estimate(value, float(each.std(ddof=1)) / math.sqrt(len(each)))
