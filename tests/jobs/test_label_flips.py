"""What is reported of flips."""

from __future__ import annotations

import pytest

from tests.labels.asking import section
from vsgen.errors import OptionError
from vsgen.jobs.label_flips import FlipCounts, require_order
from vsgen.labels.flips import Flips


def test_shares_have_an_interval_and_nothing_is_said_of_what_was_not_asked() -> None:
    counts = FlipCounts([section(classes=["x", "y", "z"]), section(name="other")])
    assert list(counts.lines()) == []
    for i in range(100):
        counts.add({"label": Flips((i < 14,), (i < 7,))})
    assert list(counts.lines()) == [
        "label: classes in reverse order change the likeliest one in 14 of 100 rows: 14% (95% interval 9% to 22%)",
        "label: with permutations: 2, in 7 of 100 rows: 7% (95% interval 3% to 14%)",
    ]


def test_two_classes_cannot_flip_with_two_orders() -> None:
    counts = FlipCounts([section(), section(name="many", kind="multi", classes=["x", "y", "z"])])
    counts.add({"label": Flips((True,), (False,)), "many": Flips((True, False, True), (False,) * 3)})
    lines = list(counts.lines())
    assert lines[1] == "label: with permutations: 2, in none: both orders of two are averaged"
    assert lines[2].startswith(
        "many: classes in reverse order change the likeliest one in 2 of 3 yes-or-no answers: 67%"
    )


def test_labels_without_an_order_are_refused() -> None:
    with pytest.raises(OptionError, match=r"^--flips: no label lists its classes in an order"):
        require_order([section(listed=False), section(method="decisions", kind="ordinal")])
    require_order([section(listed=False), section()])
