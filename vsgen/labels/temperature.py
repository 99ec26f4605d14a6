"""The temperature of soft labels, fitted to rows whose class is known.

*Temperature scaling* (Guo et al., arXiv 1706.04599) makes all labels sharper or flatter by one number: p^(1/T),
renormalised, with the T of least log loss on rows whose class is known. It changes no row's likeliest class.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsgen.probability import logs, softmax

COLDEST = 0.05
HOTTEST = 20.0
"""Temperatures beyond these are not looked for: rows that are all right, say, would have 0."""
_FLAT = 1e-12
"""A slope of the mean log loss, nats, that is no more than rounding."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A temperature and how far to trust it."""

    temperature: float
    """Above 1 the labels were too sure of themselves."""
    at_bound: bool
    """The log loss still fell at `COLDEST`, because the rows are too few or too one-sided, or at `HOTTEST`, because the
    probabilities say little about the classes."""
    error: float | None = None
    """Standard error of the temperature, from the curvature of the loss; None where no minimum was found."""

    @property
    def flattened(self) -> bool:
        """Whether even `HOTTEST` was not hot enough."""
        return self.at_bound and self.temperature == HOTTEST

    @property
    def usable(self) -> float:
        """The temperature, or 1, which changes nothing, where it says nothing."""
        return 1.0 if self.at_bound else self.temperature


def tempered(probs: Sequence[float], temperature: float) -> list[float]:
    """p^(1/T), renormalised; a probability of 0 stays 0, and T = 1 changes no bit.

    Args:
        probs: They sum to 1.
        temperature: Above 0; above 1 flattens, below 1 sharpens.
    """
    if temperature == 1:
        return list(probs)
    return softmax([logp / temperature for logp in logs(probs)])


def fit_temperature(
    rows: Sequence[Sequence[float]], gold: Sequence[int], *, weights: Sequence[float] | None = None
) -> Fitted:
    """The temperature from `COLDEST` to `HOTTEST` with the least mean log loss.

    The loss is convex in 1/T, so there is one minimum, where its slope is 0. Rows whose right class has probability 0
    have infinite loss at every T and are left out; rows whose loss is the same at every T say nothing. If nothing is
    left, not even a row, T is 1.

    Args:
        rows: Distributions over classes, whose number may differ from row to row.
        gold: Position of each row's right class.
        weights: How many rows each row stands for; 1 if None.
    """
    counts = [1.0] * len(gold) if weights is None else weights
    kept = [one for one in zip(rows, gold, counts, strict=True) if one[0][one[1]] > 0]
    if not kept:
        return Fitted(1.0, at_bound=False)
    losses = _Losses.of(kept)
    cold, hot = losses.slope(1 / COLDEST), losses.slope(1 / HOTTEST)
    if cold <= _FLAT and hot >= -_FLAT:
        return Fitted(1.0, at_bound=False)
    if cold <= _FLAT:
        return Fitted(COLDEST, at_bound=True)
    if hot >= -_FLAT:
        return Fitted(HOTTEST, at_bound=True)
    # Here, because labels are made in every run and fitted in few: scipy.optimize takes as long to load as vsgen.
    from scipy.optimize import brentq

    log_t = brentq(lambda log_t: losses.slope(math.exp(-log_t)), math.log(COLDEST), math.log(HOTTEST), xtol=1e-12)
    temperature = math.exp(log_t)
    # The delta method: 1/T has the error 1 / sqrt(information), and dT / d(1/T) is -T².
    error = temperature**2 / math.sqrt(math.fsum(count for _, _, count in kept) * losses.curvature(1 / temperature))
    return Fitted(temperature, at_bound=False, error=error)


def cross_fitted(
    rows: Sequence[Sequence[float]],
    gold: Sequence[int],
    folds: int = 5,
    *,
    groups: Sequence[Hashable] | None = None,
) -> list[list[float]]:
    """Every row under the temperature that is fitted to the other folds, so that what is measured on them is held out.

    Args:
        rows: Distributions over classes.
        gold: Position of each row's right class.
        folds: The i-th group belongs to fold i modulo this; with fewer groups, each is its own fold. Nothing is drawn.
        groups: Rows that are equal in this are never parted, such as the yes-or-no questions about one text; by
            default every row is its own group.
    """
    names: dict[Hashable, int] = {}
    places = [names.setdefault(name, len(names)) for name in (range(len(rows)) if groups is None else groups)]
    held = [place % folds for place in places]
    made: dict[int, float] = {}
    for fold in set(held):
        others = [(row, right) for row, right, mine in zip(rows, gold, held, strict=True) if mine != fold]
        made[fold] = fit_temperature([row for row, _ in others], [right for _, right in others]).usable
    return [tempered(row, made[fold]) for row, fold in zip(rows, held, strict=True)]


@dataclass(frozen=True, slots=True)
class _Losses:
    """The log losses of rows as functions of 1/T; N rows, K classes at most."""

    logps: NDArray[np.float64]
    """[N, K]; -inf where the probability is 0 or the row has no such class."""
    right: NDArray[np.float64]
    """[N], each row's log-probability of the right class."""
    weights: NDArray[np.float64]
    """[N], which sum to 1."""

    @classmethod
    def of(cls, kept: Sequence[tuple[Sequence[float], int, float]]) -> _Losses:
        """From rows whose right class has a probability above 0, that class's position, and weights."""
        logps = np.full((len(kept), max(len(row) for row, _, _ in kept)), -np.inf)
        for filled, (row, _, _) in zip(logps, kept, strict=True):
            filled[: len(row)] = logs(row)
        right = logps[np.arange(len(kept)), [at for _, at, _ in kept]]
        weights = np.array([weight for _, _, weight in kept])
        return cls(logps, right, weights / weights.sum())

    def slope(self, power: float) -> float:
        """The derivative by 1/T of the mean loss: what the labels expect of log p, less what came true."""
        return float((self.weights * (self._moments(power)[0] - self.right)).sum())

    def curvature(self, power: float) -> float:
        """The second derivative by 1/T of the mean loss: the variance of log p under the labels."""
        mean, square = self._moments(power)
        return float((self.weights * (square - mean**2)).sum())

    def _moments(self, power: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """[N] and [N]: the means of log p and of its square under p^power, renormalised."""
        shares = np.exp(power * (self.logps - self.logps.max(axis=1, keepdims=True)))
        shares /= shares.sum(axis=1, keepdims=True)
        logps = np.where(shares > 0, self.logps, 0)
        return (shares * logps).sum(axis=1), (shares * logps**2).sum(axis=1)
