"""Borderline selection: which labelled rows say the most, and how much of them to keep.

Uncertainty sampling asks for the rows that a model is least sure of: the largest entropy or the smallest margin
(Settles 2009, sections 3.1.2 and 3.1.3). *Disagreement* is the mutual information between the class and the reasoning
trace (BALD, Houlsby et al., arXiv 1112.5745): large where each trace is sure, but of another class.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Literal, TypeAlias, get_args

from vsgen.errors import OptionError

Criterion: TypeAlias = Literal["borderline", "margin", "disagreement"]
CRITERIA: tuple[Criterion, ...] = get_args(Criterion)


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user wants to keep."""

    criterion: Criterion
    share: float
    """Of the rows that have a label; above 0, at most 1."""


def parse_selection(word: str) -> Selection:
    """Read what follows ``--select``, such as ``borderline:0.2``.

    Raises:
        OptionError: It names no such criterion, or no share above 0 and up to 1.
    """
    name, colon, number = word.partition(":")
    criterion = next((one for one in CRITERIA if one == name.strip()), None)
    if criterion is None:
        close = get_close_matches(name, CRITERIA, 1)
        remedy = f"did you mean {close[0]!r}?" if close else f"such as {CRITERIA[0]}:0.2"
        raise OptionError(f"--select {word}: must begin with one of {', '.join(CRITERIA)}, got {name!r}; {remedy}")
    share = _number(number)
    if not 0 < share <= 1:
        got = repr(number) if colon else "none"
        raise OptionError(
            f"--select {word}: the share must be above 0 and at most 1, got {got}; such as {criterion}:0.2"
        )
    return Selection(criterion, share)


def informativeness(
    criterion: Criterion, *, entropy: float, margin: float, classes: int, disagreement: float | None = None
) -> float | None:
    """How much a row says, for `most_informative`: the more, the larger.

    Args:
        criterion: borderline ranks by the entropy as a share of its maximum, so that rows with different numbers of
            classes compare; margin by how small the margin is; disagreement by itself.
        entropy: Of the label, nats.
        margin: The largest of the label's probabilities less the second largest.
        classes: How many the label has.
        disagreement: Mutual information between class and reasoning trace, nats; None where there are no traces.
    """
    match criterion:
        case "borderline":
            return normalised_entropy(entropy, classes)
        case "margin":
            return -margin
        case "disagreement":
            return disagreement


def normalised_entropy(entropy: float, classes: int) -> float:
    """Entropy in nats over its maximum, ln K: from 0 to 1, and 0 of a single class."""
    return min(entropy / math.log(classes), 1.0) if classes > 1 else 0.0


def most_informative(values: Sequence[float | None], share: float) -> list[int]:
    """The rows with the largest values, as positions in the order of the input.

    Args:
        values: One per row; None, a row without a label, is never chosen.
        share: Of the rows that have a value; rounded up to whole rows. Of equal rows the earlier are chosen.
    """
    known = [(value, at) for at, value in enumerate(values) if value is not None]
    # As written: 0.07 of 100 rows is 7, but 0.07 * 100 is 7.000000000000001 and would keep 8.
    size = math.ceil(Fraction(str(share)) * len(known))
    return sorted(at for _, at in sorted(known, key=lambda one: -one[0])[:size])


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
