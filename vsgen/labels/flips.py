"""Flips: labels whose likeliest class changes when the classes are listed in another order.

Models prefer places. A text is asked about with the classes in one order and in its reverse, and with the mean of two
orders and of their reverses, which is what ``permutations: 2`` averages. Examples are reversed with the classes. With
two classes and no examples, both orders of two are the same pair, so that nothing can flip.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from vsgen.labels.settings import Label
from vsgen.labels.soft import distributions, likeliest
from vsgen.values import SoftLabel

_PAIR = 2


class Again(NamedTuple):
    """A way to ask for a label: so many orders of the classes, or the reverse of each."""

    orders: int | Literal["all"]
    reverse: bool = False


class Flips(NamedTuple):
    """Whether the likeliest class of a text changes under the reverse orders: one for each of its `distributions`."""

    one: tuple[bool, ...]
    """With one order."""
    two: tuple[bool, ...]
    """With the mean of two."""


def has_order(label: Label) -> bool:
    """Whether the model sees the classes, or examples, in an order that can be reversed."""
    if label.method == "decisions":
        return label.kind == "nominal"
    return label.listed or _shows(label)


def paired(label: Label, classes: int) -> bool:
    """Whether two orders are all that there are.

    Args:
        label: How it is asked about.
        classes: Their number.
    """
    return not _shows(label) and (label.kind == "multi" or classes == _PAIR)


def asked_again(label: Label, classes: int) -> list[Again]:
    """The ways in which a text is asked about for its flips, beside the way of the label itself.

    Args:
        label: How it is asked about; none where `has_order` is false.
        classes: Their number.
    """
    if not has_order(label):
        return []
    counts = (1,) if paired(label, classes) else (1, 2)
    ways = [Again(count, reverse) for count in counts for reverse in (False, True)]
    return [way for way in ways if way != Again(label.permutations)]


def flips(made: Mapping[Again, SoftLabel]) -> Flips:
    """The flips of one text, from its label and those of `asked_again`."""
    one = _differ(made[Again(1)], made[Again(1, reverse=True)])
    two = (
        _differ(made[Again(2)], made[Again(2, reverse=True)]) if Again(2, reverse=True) in made else (False,) * len(one)
    )
    return Flips(one, two)


def _differ(label: SoftLabel, other: SoftLabel) -> tuple[bool, ...]:
    pairs = zip(distributions(label), distributions(other), strict=True)
    return tuple(likeliest(p) != likeliest(q) for p, q in pairs)


def _shows(label: Label) -> bool:
    """Whether examples are shown in the orders of the classes."""
    return bool(label.examples) and label.lined
