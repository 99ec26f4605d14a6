"""Skill: what probabilities say of the classes beyond how frequent those are.

1 - log loss / log loss of the class prior: 1 is perfect, 0 is as good as the prior, below 0 is worse than not reading
the texts. The prior of a row is the smoothed shares of the classes among the *other* rows, so that it is as little
fitted to the row as probabilities that are held out are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vsgen.metrics.calibration import Estimate, Rows, log_losses, standard_error
from vsgen.probability import PSEUDOCOUNT


def class_prior(gold: Rows) -> list[list[float]]:
    """For each row, the class shares of the others; equal shares where rows differ in their number of classes.

    Args:
        gold: The right distribution of each row; over the same classes if they are as many.
    """
    if len({len(row) for row in gold}) != 1:
        return equal_shares(gold)
    total, classes = np.sum(gold, axis=0), len(gold[0])
    weight = len(gold) - 1 + PSEUDOCOUNT * classes
    return [((total - row + PSEUDOCOUNT) / weight).tolist() for row in np.asarray(gold, dtype=np.float64)]


def equal_shares(gold: Rows) -> list[list[float]]:
    """For each row, the same probability for each of its classes: the prior of classes that rows do not share."""
    return [[1 / len(row)] * len(row) for row in gold]


def skill(probs: Rows, gold: Rows, prior: Rows, *, texts: Sequence[int] | None = None) -> Estimate:
    """The skill of some rows, with the standard error of the ratio (delta method).

    Args:
        probs: Rows that sum to 1.
        gold: As many, likewise.
        prior: As many, as of `class_prior`.
        texts: Which text each row is about; see `vsgen.metrics.calibration.mean_of`.

    Returns:
        -inf where a right class had probability 0; 0 where the prior itself has no loss.
    """
    losses, floors = log_losses(probs, gold), log_losses(prior, gold)
    floor = math.fsum(floors) / len(floors)
    if floor == 0:
        return Estimate(0.0, None)
    value = 1 - math.fsum(losses) / len(losses) / floor
    if not math.isfinite(value):
        return Estimate(value, None)
    return Estimate(value, standard_error((losses - (1 - value) * floors) / floor, texts))
