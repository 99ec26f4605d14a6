"""How often labels flip when their classes are listed in another order, counted over rows; see `vsgen.labels.flips`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from vsgen.errors import OptionError
from vsgen.flows.label import Labels
from vsgen.labels.flips import Flips, asked_again, has_order, paired
from vsgen.labels.settings import Label
from vsgen.metrics.shares import wilson
from vsgen.values import SoftLabel
from vsgen.verdict.share import percent

FIRST: Final = 100
"""Rows that are asked about in other orders."""
_FEW: Final = 4
"""Classes that are taken for those which a row lists itself."""


def require_order(labels: Sequence[Label]) -> None:
    """See that the classes of some label have an order.

    Raises:
        OptionError: They have not.
    """
    if not any(has_order(label) for label in labels):
        why = "no label lists its classes in an order that can be reversed (listed: false, or decisions of kind "
        raise OptionError(f"--flips: {why}ordinal or multi); leave it out")


def more_ways(label: Label) -> int:
    """In how many more ways a text is asked about for the flips of a label."""
    return len(asked_again(label, len(label.classes) or _FEW))


class FlipCounts:
    """What is known of the flips of a template's labels."""

    def __init__(self, labels: Sequence[Label]) -> None:
        """Set up, with nothing counted."""
        self._labels = labels
        self._found: dict[str, list[Flips]] = defaultdict(list)
        self._orders: dict[str, list[bool]] = defaultdict(list)

    def add(self, found: Mapping[str, Flips]) -> None:
        """Count a row that was asked about in other orders."""
        for name, one in found.items():
            self._found[name].append(one)

    def add_row(self, labels: Labels) -> None:
        """Count a row whose labels are the means of several orders anyway."""
        for name, one in labels.items():
            if isinstance(one, SoftLabel):
                self._orders[name] += one.order_flips

    def lines(self) -> Iterator[str]:
        """What there is to report."""
        for label in self._labels:
            if orders := self._orders[label.name]:
                yield f"{label.name}: the orders of its classes differ in the likeliest one in {_share(orders, label)}"
            if found := self._found[label.name]:
                one = [flipped for each in found for flipped in each.one]
                yield f"{label.name}: classes in reverse order change the likeliest one in {_share(one, label)}"
                two = [flipped for each in found for flipped in each.two]
                share = (
                    "none: both orders of two are averaged" if paired(label, len(label.classes)) else _share(two, label)
                )
                yield f"{label.name}: with permutations: 2, in {share}"


def _share(flipped: Sequence[bool], label: Label) -> str:
    """So many of so many, with an interval."""
    count, of = sum(flipped), len(flipped)
    noun = "yes-or-no answers" if label.kind == "multi" else "rows"
    low, high = wilson(count / of, of)
    return f"{count} of {of} {noun}: {percent(count / of)} (95% interval {percent(low)} to {percent(high)})"
