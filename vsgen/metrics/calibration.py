"""How good probabilities are, measured on rows whose gold is known.

A row is a distribution over its own classes, whose number may differ from row to row. Gold is a distribution over the
same classes: one-hot where the right class is known, else for example the shares of several raters. Every figure is
then its mean over a right class that is drawn from the gold. Log loss is in nats. The Brier score sums squared
differences over the classes (Brier 1950; 0 to 2, twice the one-sided score of two classes), the ranked probability
score squares the differences of cumulated probabilities (Epstein 1969). Both and log loss are proper: on average only
the true distribution minimises them.

The expected calibration error compares the mean confidence in the likeliest class with how often it is right, bin by
bin (Naeini et al. 2015; Guo et al., arXiv 1706.04599, equation 3). It is not proper, and it is biased upward: perfect
probabilities have a positive error too, the larger the fewer rows a bin has. So it has no standard error here. The
smooth calibration error is that of `vsgen.metrics.smooth`, which needs no bins.

Yes-or-no questions about each class are rows of two classes. Those about one text are no independent samples, so
standard errors are clustered by text where texts are given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vsgen.metrics.smooth import smooth_calibration_error

BINS = 15

_Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = Sequence[Sequence[float]]


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
    texts: int
    """Texts that the rows are about."""
    accuracy: Estimate
    log_loss: Estimate
    """Nats; infinite if a right class had probability 0."""
    impossible: int
    """Rows whose right class had probability 0: what makes the log loss infinite."""
    brier: Estimate
    ece: float
    """Expected calibration error, `BINS` bins of equal width."""
    smooth: float
    """Smooth calibration error."""


def one_hot(right: int, classes: int) -> list[float]:
    """The gold of a known class."""
    return [float(at == right) for at in range(classes)]


def quality(probs: Rows, gold: Rows, *, texts: Sequence[int] | None = None) -> Quality:
    """Everything at once.

    Args:
        probs: Rows that sum to 1.
        gold: As many, likewise.
        texts: Which text each row is about, as for `mean_of`.

    Raises:
        ValueError: There is no row, or not exactly one distribution of gold for each.
    """
    table, right = _tables(probs, gold)
    impossible = int(((table == 0) & (right > 0)).any(axis=1).sum())
    confidence, hits = _confidences(table, right)
    return Quality(
        len(table),
        len(table if texts is None else set(texts)),
        accuracy(probs, gold, texts=texts),
        log_loss(probs, gold, texts=texts),
        impossible,
        brier(probs, gold, texts=texts),
        expected_calibration_error(probs, gold),
        smooth_calibration_error(confidence, hits),
    )


def unnormalised_error(probs: Rows, gold: Rows, masses: Sequence[float]) -> float:
    """The smooth calibration error of probabilities before they are normalised over the classes.

    Args:
        probs: Rows that sum to 1.
        gold: As many, likewise.
        masses: P(the reply is a class at all) of each row.
    """
    confidence, hits = _confidences(*_tables(probs, gold))
    return smooth_calibration_error(confidence * np.array(masses), hits)


def accuracy(probs: Rows, gold: Rows, *, texts: Sequence[int] | None = None) -> Estimate:
    """The share of rows whose likeliest class, the first of equals, is the right one."""
    _, hits = _confidences(*_tables(probs, gold))
    return mean_of(hits, texts)


def log_loss(probs: Rows, gold: Rows, *, texts: Sequence[int] | None = None) -> Estimate:
    """The mean of -log P(right class), nats; infinite, not clipped, if one right class had probability 0."""
    return mean_of(log_losses(probs, gold), texts)


def log_losses(probs: Rows, gold: Rows) -> _Floats:
    """[N], those of each row."""
    table, right = _tables(probs, gold)
    with np.errstate(divide="ignore"):
        logs = np.log(table, where=right > 0, out=np.zeros_like(table))
    losses: _Floats = -(right * logs).sum(axis=1)
    return losses


def brier(probs: Rows, gold: Rows, *, texts: Sequence[int] | None = None) -> Estimate:
    """The mean over rows of the sum over classes of (probability - 1 if right else 0)²; from 0 to 2."""
    table, right = _tables(probs, gold)
    return mean_of((table**2).sum(axis=1) - 2 * (table * right).sum(axis=1) + right.sum(axis=1), texts)


def ranked_probability_score(probs: Rows, gold: Rows) -> Estimate:
    """For classes in an order: the mean squared difference of cumulated probabilities; from 0 to 1.

    A row's K - 1 differences are averaged, so that rows with different numbers of classes weigh the same; with two
    classes it is half the Brier score.
    """
    _tables(probs, gold)
    scores = []
    for row, right in zip(probs, gold, strict=True):
        reached, true = np.cumsum(row)[:-1], np.cumsum(right)[:-1]
        scores.append(float((reached**2 - 2 * reached * true + true).mean()) if len(reached) else 0.0)
    return mean_of(np.array(scores))


def expected_calibration_error(probs: Rows, gold: Rows, *, bins: int = BINS) -> float:
    """See `Reliability.error`, and `reliability` for the arguments."""
    return reliability(probs, gold, bins=bins).error


def reliability(probs: Rows, gold: Rows, *, bins: int = BINS) -> Reliability:
    """Group rows by their confidence in their likeliest class.

    Args:
        probs: Rows that sum to 1.
        gold: As many, likewise.
        bins: At least 1. Of equal width, they part (0, 1]; each holds its upper edge.
    """
    confidence, hits = _confidences(*_tables(probs, gold))
    edges = np.array([i / bins for i in range(bins + 1)])
    # A sum's rounding may leave a confidence just above 1.
    at = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    made = []
    for i in np.unique(at):
        inside = at == i
        means = float(confidence[inside].mean()), float(hits[inside].mean())
        made.append(Bin(float(edges[i]), float(edges[i + 1]), int(inside.sum()), *means))
    return Reliability(tuple(made))


def _confidences(table: _Floats, right: _Floats) -> tuple[_Floats, _Floats]:
    """[N] the probability of each row's likeliest class, the first of equals, and [N] how right that is."""
    first = table.argmax(axis=1)
    rows = np.arange(len(table))
    return table[rows, first], right[rows, first]


def _tables(probs: Rows, gold: Rows) -> tuple[_Floats, _Floats]:
    """[rows, most classes] each, short rows filled up with zeros, which no score counts."""
    if not probs:
        raise ValueError("calibration is measured on at least one row, got none")
    shape = len(probs), max(map(len, probs))
    table, right = np.zeros(shape), np.zeros(shape)
    for at, (row, true) in enumerate(zip(probs, gold, strict=True)):
        if len(row) != len(true):
            raise ValueError(f"gold needs a probability for each of the row's {len(row)} classes, got {len(true)}")
        table[at, : len(row)], right[at, : len(row)] = row, true
    return table, right


def mean_of(each: _Floats, texts: Sequence[int] | None = None) -> Estimate:
    """The mean of some rows' figures, with its standard error.

    Args:
        each: [N], of each row.
        texts: Which text each row is about: rows of one text are one sample. By default each has its own.
    """
    value = math.fsum(each) / len(each)
    return Estimate(value, standard_error(each - value, texts) if math.isfinite(value) else None)


def standard_error(residuals: _Floats, texts: Sequence[int] | None = None) -> float | None:
    """That of a mean, from the distances of N rows from it; clustered by text (Liang and Zeger 1986).

    Args:
        residuals: [N]; their sum is 0.
        texts: As for `mean_of`.

    Returns:
        None of a single text.
    """
    sums = residuals
    if texts is not None:
        _, at = np.unique(texts, return_inverse=True)
        sums = np.zeros(int(at.max()) + 1)
        np.add.at(sums, at, residuals)
    count = len(sums)
    if count == 1:
        return None
    return math.sqrt(count / (count - 1) * float((sums**2).sum())) / len(residuals)
