"""Vector scaling of soft labels, fitted to rows whose gold is known and shrunk to the class prior.

p'_k ∝ exp(power · ln p_k + bias_k), power ≥ 0: temperature scaling (power = 1 / temperature) with a bias for each class
(*bias-corrected temperature scaling*: Alexandari, Kundaje and Shrikumar, arXiv 1901.06852; both after Guo et al., arXiv
1706.04599). A power of 0 leaves the bias alone, which is the class prior: what is known without reading the text.

The fit minimises the mean log loss (nats) of N rows over K classes, with two penalties,

    mean of -Σ gold_k ln p'_k  +  (c / N + shrinkage · gain) · power · s  +  K a / N · mean over classes of -ln prior_k,

where s is the standard deviation of log-probabilities, taken about each row's and each class's mean, so that neither
a preference of the teacher for a class nor its temperature makes a difference. *prior* is what a row of that mean gets;
the last term pulls it towards equal shares as a = `PSEUDOCOUNT` further rows of each class would (at power 0 exactly).
*gain* is how much faster than that the loss falls at power 0 as the power grows: at a shrinkage of 1
the minimum is the prior alone; one of 0 leaves c = `COST` rows that are a standard deviation against the teacher, so
that few rows, all right, make no certainty. The shrinkage is the one of least log loss on held-out rows, unless labels
as they are do better still. So labels that say nothing of the classes, or the wrong thing, end at the prior. The loss
is convex; Newton's method finds its minimum.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vsgen.probability import PSEUDOCOUNT, softmax

FLOOR: Final = 1e-6
"""A smaller probability counts as this much: one row must not have infinite loss, nor set the scale of all."""
SHRINKAGES: Final = (1.0, 0.5, 0.25, 0.1, 0.0)
"""From the prior alone to all that the rows support."""
MARGIN: Final = 1.0
"""Nats, over all held-out rows, by which anything must be better than the prior alone."""
FOLDS: Final = 5
UNTOUCHED: Final = 2.0
"""Nats, over all rows, by which labels as they are must be better than any fit on held-out rows, to be left alone."""
COST: Final = 2.0
"""Rows that count as one standard deviation against the teacher."""
_STEPS: Final = 50
_FLAT: Final = 1e-9
"""A gradient, nats, that is no more than rounding."""
_ROUNDING: Final = 1e-15
"""Of the loss, nats: a step that promises less cannot be seen."""
_ENOUGH: Final = 1e-4
"""Of the fall that the gradient promises, what a step of Newton's must bring."""

_Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Scaling:
    """What is done to the log-probabilities of a label."""

    bias: tuple[float, ...] = ()
    """Added, one for each class; they sum to 0. Empty adds nothing, for rows that differ in their classes."""
    power: float = 1.0
    """What they are multiplied by first: 1 / temperature. 0 is the prior alone."""

    def __call__(self, probs: Sequence[float]) -> list[float]:
        """The distribution, scaled.

        Args:
            probs: They sum to 1. One below `FLOOR` counts as `FLOOR`.
        """
        bias = self.bias or (0.0,) * len(probs)
        return softmax([self.power * math.log(max(p, FLOOR)) + one for p, one in zip(probs, bias, strict=True)])


def fit_scaling(
    rows: Rows, gold: Rows, *, biased: bool = True, folds: int = FOLDS, groups: Sequence[Hashable] | None = None
) -> Scaling:
    """The scaling of least penalised log loss, with the shrinkage of least log loss on held-out rows.

    Args:
        rows: Distributions over classes.
        gold: The right distribution of each row; one-hot where its class is known.
        biased: Every row has the same classes, and each gets a bias. Otherwise only the power is fitted, and a power of
            0, which is equal shares, takes the place of the prior.
        folds: As for `cross_scaled`, to choose the shrinkage.
        groups: As for `cross_scaled`.
    """
    if not rows:
        raise ValueError("a scaling is fitted to at least one row, got none")
    data = _Data.of(rows, gold, biased=biased)
    parts = list(_parts(len(rows), folds, groups))
    losses = np.zeros(len(SHRINKAGES))
    losses[0] -= MARGIN
    for held in parts:
        others = data.take(~held)
        losses += [data.take(held).loss(found) for found in others.path()] if others.size else 0.0
    best = int(np.argmin(losses))
    if data.loss(data.untouched) + UNTOUCHED < losses[best] and not data.vague:
        return data.untouched
    return data.path()[best]


def cross_scaled(
    rows: Rows, gold: Rows, folds: int = FOLDS, *, biased: bool = True, groups: Sequence[Hashable] | None = None
) -> list[list[float]]:
    """Every row under the scaling that is fitted to the other folds, so that what is measured on them is held out.

    A single row, or a single group, has no others: nothing is known of its classes, so their shares are equal.

    Args:
        rows: Distributions over classes.
        gold: The right distribution of each row.
        folds: The i-th group belongs to fold i modulo this; with fewer groups, each is its own fold. Nothing is drawn.
        biased: As for `fit_scaling`.
        groups: Rows that are equal in this are never parted, such as the yes-or-no questions about one text; by
            default every row is its own group.
    """
    made: list[list[float]] = [[] for _ in rows]
    for held in _parts(len(rows), folds, groups):
        kept = [i for i in range(len(rows)) if not held[i]]
        if not kept:
            return [[1 / len(row)] * len(row) for row in rows]
        left = None if groups is None else [groups[i] for i in kept]
        found = fit_scaling([rows[i] for i in kept], [gold[i] for i in kept], biased=biased, folds=folds, groups=left)
        for i in np.flatnonzero(held).tolist():
            made[i] = found(rows[i])
    return made


def _parts(count: int, folds: int, groups: Sequence[Hashable] | None) -> Iterator[NDArray[np.bool_]]:
    """[N] for each fold: which rows it holds out."""
    names: dict[Hashable, int] = {}
    places = [names.setdefault(name, len(names)) for name in (range(count) if groups is None else groups)]
    at = np.array(places, dtype=np.int64) % folds
    for fold in range(min(folds, len(names))):
        yield at == fold


@dataclass(frozen=True, slots=True)
class _Data:
    """N rows over at most K classes."""

    logps: _Floats
    """[N, K], not below `FLOOR`'s; 0 where the row has no such class."""
    gold: _Floats
    """[N, K]; 0 where the row has no such class."""
    there: NDArray[np.bool_]
    """[N, K], whether the row has such a class."""
    biased: bool

    @classmethod
    def of(cls, rows: Rows, gold: Rows, *, biased: bool) -> _Data:
        widest = max(map(len, rows))
        if biased and min(map(len, rows)) != widest:
            raise ValueError("rows that differ in their classes cannot share a bias for each")
        logps, right = np.zeros((len(rows), widest)), np.zeros((len(rows), widest))
        there = np.zeros((len(rows), widest), dtype=np.bool_)
        for at, (row, wanted) in enumerate(zip(rows, gold, strict=True)):
            if len(row) != len(wanted):
                raise ValueError(f"gold needs a probability for each of the row's {len(row)} classes")
            logps[at, : len(row)] = np.log(np.maximum(row, FLOOR))
            right[at, : len(row)], there[at, : len(row)] = wanted, True
        return cls(logps, right, there, biased)

    @property
    def size(self) -> int:
        """N."""
        return len(self.logps)

    @property
    def vague(self) -> bool:
        """Whether a probability is 0, or so small that nobody can have estimated it."""
        return bool((self.logps[self.there] <= math.log(FLOOR)).any())

    @property
    def untouched(self) -> Scaling:
        """What changes nothing."""
        return Scaling((0.0,) * self.logps.shape[1] if self.biased else (), 1.0)

    def take(self, wanted: NDArray[np.bool_]) -> _Data:
        """Some of the rows."""
        return _Data(self.logps[wanted], self.gold[wanted], self.there[wanted], self.biased)

    def loss(self, scaling: Scaling) -> float:
        """The sum over rows of the log loss, nats."""
        logits = scaling.power * self.logps + (np.array(scaling.bias) if scaling.bias else 0.0)
        return float((_log_sums(logits, self.there) - (self.gold * logits).sum(axis=1)).sum())

    def path(self) -> list[Scaling]:
        """The scaling of each shrinkage, in the order of `SHRINKAGES`; each fit begins at the one before."""
        centred, means = self._centred()
        spread = math.sqrt(float((centred**2).sum() / self.there.sum()))
        problem = _Problem(centred / spread if spread > _FLAT else 0 * centred, self)
        at = problem.prior()
        gain = -float(problem.at(at, COST / self.size).gradient[0])
        if gain <= 0:  # The loss is convex: no positive power is better.
            return [self._scaling(at, means, math.inf)] * len(SHRINKAGES)
        made = []
        for shrinkage in SHRINKAGES:
            at = at if shrinkage == 1 else problem.minimum(at, COST / self.size + shrinkage * gain)
            made.append(self._scaling(at, means, spread))
        return made

    def _centred(self) -> tuple[_Floats, _Floats]:
        """[N, K] log-probabilities about each row's mean and, of shared classes, each class's; and [K], the latter."""
        rows = self.logps.sum(axis=1, keepdims=True) / self.there.sum(axis=1, keepdims=True)
        centred = np.where(self.there, self.logps - rows, 0)
        means = centred.mean(axis=0) if self.biased else np.zeros(centred.shape[1])
        return centred - means, means

    def _scaling(self, at: _Floats, means: _Floats, spread: float) -> Scaling:
        power = float(at[0]) / spread
        if not self.biased:
            return Scaling((), power)
        bias = at[1:] - power * means
        return Scaling(tuple((bias - bias.mean()).tolist()), power)


class _Point(NamedTuple):
    """The penalised loss somewhere."""

    loss: float
    gradient: _Floats
    curvature: _Floats


@dataclass(frozen=True, slots=True)
class _Problem:
    """The penalised loss as a function of the power in units of 1 / s, and of the log prior where there is one."""

    units: _Floats
    """[N, K], centred log-probabilities over their standard deviation."""
    data: _Data

    @property
    def _pull(self) -> float:
        """How many rows' worth equal shares count."""
        return PSEUDOCOUNT * self.units.shape[1] / self.data.size if self.data.biased else 0.0

    def prior(self) -> _Floats:
        """[1 + K], the minimum at power 0, which is known in closed form; [1] without a prior."""
        if not self.data.biased:
            return np.zeros(1)
        logps = np.log(self.data.gold.sum(axis=0) + PSEUDOCOUNT)
        return np.concatenate([[0.0], logps - logps.mean()])

    def minimum(self, start: _Floats, cost: float) -> _Floats:
        """Where the gradient is 0, by Newton's method with steps halved until they bring what they promise."""
        place, here = start, self.at(start, cost)
        for _ in range(_STEPS):
            step = -np.linalg.solve(here.curvature, here.gradient)
            promised = float(here.gradient @ step)
            if promised > -_ROUNDING or np.abs(here.gradient).max() < _FLAT:
                break
            share = 1.0
            while (there := self.at(place + share * step, cost)).loss > here.loss + _ENOUGH * share * promised:
                share /= 2
                if share < _FLAT:
                    return place
            place, here = place + share * step, there
        return place

    def at(self, place: _Floats, cost: float) -> _Point:
        """Loss, gradient [1 + K] and curvature [1 + K, 1 + K]; a unit of power costs so much."""
        power, data, n = float(place[0]), self.data, self.data.size
        logits = power * self.units + (place[1:] if data.biased else 0.0)
        sums = _log_sums(logits, data.there)
        probs = np.where(data.there, np.exp(logits - sums[:, None]), 0)
        loss = float((sums - (data.gold * logits).sum(axis=1)).mean()) + cost * power
        over = probs - data.gold
        mean = (probs * self.units).sum(axis=1, keepdims=True)
        slope = [float((over * self.units).sum()) / n + cost]
        bend = float((probs * self.units**2).sum() - (mean**2).sum()) / n
        if not data.biased:
            return _Point(loss, np.array(slope), np.array([[bend]]))
        # The bias has a direction that changes nothing, the same for all classes; a curvature there keeps its sum.
        shares, pull = np.array(softmax(place[1:].tolist())), self._pull
        loss += pull * float(np.log(np.exp(place[1:]).sum()) - place[1:].mean())
        gradient = np.concatenate([slope, over.mean(axis=0) + pull * (shares - 1 / len(shares))])
        curvature = np.empty((len(place), len(place)))
        curvature[0, 0] = bend
        curvature[0, 1:] = curvature[1:, 0] = (probs * (self.units - mean)).mean(axis=0)
        curvature[1:, 1:] = np.diag(probs.mean(axis=0) + pull * shares) - probs.T @ probs / n
        curvature[1:, 1:] += 1 / len(shares) - pull * np.outer(shares, shares)
        return _Point(loss, gradient, curvature)


def _log_sums(logits: _Floats, there: NDArray[np.bool_]) -> _Floats:
    """[N], the logarithm of the sum over the classes that are there."""
    masked = np.where(there, logits, -np.inf)
    peak = masked.max(axis=1)
    sums: _Floats = peak + np.log(np.exp(masked - peak[:, None]).sum(axis=1))
    return sums
