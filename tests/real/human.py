"""Labels against the shares of human raters: log loss, divergence, total variation and skill, with intervals.

The log loss of a text is its cross entropy -Σ gold ln p (nats); less the raters' own entropy it is the divergence
KL(gold, p). Skill is 1 - log loss / log loss of the class prior, the mean gold distribution of the rows that it is
measured or fitted on: above 0 a label says more than guessing by frequency.

Intervals are 95 %: percentiles of `DRAWS` bootstrap samples of the texts, with model and prior on the same texts.
Calibrated figures come from `SPLITS` random splits: scaling and prior are fitted to `KNOWN` texts, or to half of them
where there are fewer than twice as many, and measured on the others. A text's loss is its mean over the splits in which
it was held out, so the intervals are over texts; they take the fits as given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vsgen.labels.priors import batch_prior, divide
from vsgen.labels.scaling import fit_scaling
from vsgen.probability import logs, softmax

DRAWS: Final = 1000
SPLITS: Final = 20
KNOWN: Final = 100
FLOOR: Final = 1e-6
"""The least probability that a loss is taken of, so that one text is not infinite."""

Floats: TypeAlias = NDArray[np.float64]


class Figure(NamedTuple):
    """A value with its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.2f} to {self.high:.2f})".replace("-", "−")


class Against(NamedTuple):
    """Labels against the raters."""

    log_loss: float
    divergence: float
    variation: float
    """Total variation: half the sum of absolute differences."""
    skill: Figure


def losses(probs: Floats, gold: Floats) -> Floats:
    """[texts], the log loss of each, nats.

    Args:
        probs: [texts, classes].
        gold: [texts, classes].
    """
    each: Floats = -(gold * np.log(np.maximum(probs, FLOOR))).sum(axis=1)
    return each


def variations(probs: Floats, gold: Floats) -> Floats:
    """[texts], the total variation between label and raters."""
    each: Floats = np.abs(probs - gold).sum(axis=1) / 2
    return each


def entropies(gold: Floats) -> Floats:
    """[texts], of the raters, nats: the log loss that no label can beat."""
    return losses(gold, gold)


def prior_of(gold: Floats) -> Floats:
    """[texts, classes], the class prior of these texts, for each of them."""
    return np.tile(gold.mean(axis=0), (len(gold), 1))


def raw(probs: Floats, gold: Floats) -> Against:
    """Labels as they are."""
    return _against(losses(probs, gold), losses(prior_of(gold), gold), variations(probs, gold), entropies(gold))


def balanced(probs: Floats) -> Floats:
    """The labels with the batch prior divided out, which needs no known class but takes them for equally frequent."""
    prior = batch_prior(probs.tolist())
    return np.array([softmax(divide(logs(row), prior)) for row in probs.tolist()])


def calibrated(probs: Floats, gold: Floats, *, known: int = KNOWN, splits: int = SPLITS) -> Against:
    """Labels scaled on some known texts, measured on the others."""
    rng, count = np.random.default_rng(0), len(gold)
    fitted = min(known, count // 2)
    sums, times = np.zeros((3, count)), np.zeros(count)
    for _ in range(splits):
        order = rng.permutation(count)
        seen, held = order[:fitted], order[fitted:]
        scale = fit_scaling(probs[seen].tolist(), gold[seen].tolist())
        made = np.array([scale(row) for row in probs[held].tolist()])
        prior = np.tile(gold[seen].mean(axis=0), (len(held), 1))
        found = losses(made, gold[held]), losses(prior, gold[held]), variations(made, gold[held])
        sums[:, held] += np.stack(found)
        times[held] += 1
    there = times > 0
    loss, by_prior, variation = sums[:, there] / times[there]
    return _against(loss, by_prior, variation, entropies(gold)[there])


def mean_of(each: Sequence[Floats]) -> Floats:
    """The mean distribution of several labels of the same texts."""
    made: Floats = np.mean(each, axis=0)
    return made


def _against(loss: Floats, prior: Floats, variation: Floats, floor: Floats) -> Against:
    rng = np.random.default_rng(1)
    at = rng.integers(len(loss), size=(DRAWS, len(loss)))
    skills = 1 - loss[at].mean(axis=1) / prior[at].mean(axis=1)
    low, high = np.quantile(skills, [0.025, 0.975]).tolist()
    skill = Figure(1 - math.fsum(loss) / math.fsum(prior), low, high)
    return Against(float(loss.mean()), float((loss - floor).mean()), float(variation.mean()), skill)
