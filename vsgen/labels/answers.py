"""Soft labels by voting: how the weight of a draw is shared among the final answers of its candidates."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vsgen.labels.soft import soft_label
from vsgen.values import SoftLabel


def votes(answers: Sequence[str | None], weights: Sequence[float]) -> SoftLabel | None:
    """The answers' shares of the weight, the largest first; None where there is no answer.

    Args:
        answers: One per candidate; None has no vote.
        weights: One per candidate, of a distribution whose weights sum to 1; what is missing of 1 had no answer either,
            and `SoftLabel.label_mass` is what had one.
    """
    tally: dict[str, list[float]] = {}
    for answer, weight in zip(answers, weights, strict=True):
        if answer is not None:
            tally.setdefault(answer, []).append(weight)
    sums = {answer: math.fsum(each) for answer, each in tally.items()}
    mass = math.fsum(sums.values())
    if not mass:
        return None
    ranked = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
    return soft_label({answer: share / mass for answer, share in ranked}, min(1.0, mass))
