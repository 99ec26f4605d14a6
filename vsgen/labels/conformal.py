"""Sets of classes that hold the right one with a stated probability, whatever the model is worth.

*Split conformal prediction* (Vovk et al. 2005; Sadinle, Lei and Wasserman, arXiv 1609.00451, for the least sets): some
of the rows whose gold is known fit a scaling, and a set holds every class that has at least a probability t under it.
The other m rows choose t. They are not those that were fitted to, so for them the scaling is as good or bad as for new
rows, and if all rows are exchangeable, a new row's set misses the right class with a probability of at most 1 - level:
t is the greatest value at which

    (Σ of P(the right class has less than t) over the m rows  +  1) / (m + 1)  <=  1 - level.

With known classes this is the usual quantile; for gold that is a distribution the right class is drawn from it, and the
bound is that of *conformal risk control* (Angelopoulos et al., arXiv 2208.02814, theorem 1). The 1 is the new row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vsgen.labels.scaling import Rows, Scaling, fit_scaling

_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Sets:
    """Makes a set of a distribution."""

    scaling: Scaling
    """Fitted without the rows that chose `least`."""
    least: float
    """The probability from which on a class is in the set."""

    def __call__(self, probs: Sequence[float]) -> list[int]:
        """The positions of the classes in the set; the likeliest is always one of them."""
        scaled = self.scaling(probs)
        least = min(self.least, max(scaled))
        return [at for at, p in enumerate(scaled) if p >= least]


def fewest(level: float) -> int:
    """How many rows whose gold is known a level needs at least: those that choose t, and one to fit."""
    return math.ceil(level / (1 - level) - _ROUNDING) + 1


def choosing(count: int, level: float) -> list[bool]:
    """Which of so many rows choose t: nothing else that makes labels may be fitted to these, or chosen by them."""
    most = max(count // 2, fewest(level) - 1)
    return [(i + 1) * most // count > i * most // count for i in range(count)]


def fit_sets(rows: Rows, gold: Rows, level: float, *, biased: bool = True, kept: Sequence[bool] | None = None) -> Sets:
    """Sets that hold the right class of an exchangeable row with at least this probability.

    Half of the rows choose t, or more where half are too few; they are spread evenly among the others.

    Args:
        rows: Distributions over classes; at least `fewest` of them.
        gold: The right distribution of each row.
        level: Above 0 and below 1.
        biased: As for `vsgen.labels.scaling.fit_scaling`.
        kept: Which rows choose t, at least one less than `fewest`; by default as `choosing` says.
    """
    if len(rows) < fewest(level):
        raise ValueError(f"sets at {level:g} need at least {fewest(level)} rows, got {len(rows)}")
    kept = choosing(len(rows), level) if kept is None else kept
    fitting = [i for i, one in enumerate(kept) if not one]
    scaling = fit_scaling([rows[i] for i in fitting], [gold[i] for i in fitting], biased=biased)
    scaled = [(scaling(row), right) for row, right, one in zip(rows, gold, kept, strict=True) if one]
    return Sets(scaling, _least(scaled, level))


def _least(rows: Sequence[tuple[Sequence[float], Sequence[float]]], level: float) -> float:
    """The greatest t that misses little enough of the gold."""
    right = sorted((p, weight) for row, gold in rows for p, weight in zip(row, gold, strict=True) if weight > 0)
    allowed = (1 - level) * (len(rows) + 1) - 1 + _ROUNDING
    missed, least = 0.0, right[0][0]
    for p, weight in right:
        # All of the same probability are missed together, by any t above it.
        if missed > allowed:
            break
        least = p
        missed += weight
    return least
