"""What sets of classes need, and what is reported of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vsgen.errors import OptionError
from vsgen.jobs.label_sets import SetSizes, require_gold, require_sets
from vsgen.labels.settings import Kind, Label
from vsgen.labels.soft import label_of
from vsgen.values import Unlabelled


def section(kind: Kind = "nominal") -> Label:
    return Label(name="x", classes=("a", "b"), prompt="?", kind=kind)


@pytest.mark.parametrize(
    ("level", "kind", "calibrated", "told"),
    [
        (1.0, "nominal", True, "--sets: the coverage must be above 0 and below 1, got 1"),
        (0.0, "nominal", True, "--sets: the coverage must be above 0 and below 1, got 0"),
        (float("nan"), "nominal", True, "--sets: the coverage must be above 0 and below 1, got nan"),
        (0.9, "nominal", False, "--sets needs --calibrate GOLD"),
        (0.9, "multi", True, "--sets: label x is of kind multi"),
    ],
)
def test_what_makes_no_sets_is_an_error(level: float, kind: Kind, calibrated: bool, told: str) -> None:
    with pytest.raises(OptionError, match=f"^{told}"):
        require_sets(level, [section(kind)], calibrated=calibrated)


def test_few_gold_rows_are_an_error_that_says_what_they_are_enough_for() -> None:
    require_gold(0.9, 10)
    with pytest.raises(OptionError, match=r"^--sets 0.95: needs at least 20 .*got 12; .*--sets 0.9$"):
        require_gold(0.95, 12)
    with pytest.raises(OptionError, match=r"got 2; give more$"):
        require_gold(0.9, 2)


def test_the_level_that_is_suggested_suffices() -> None:
    for known in range(3, 400):
        with pytest.raises(OptionError) as caught:
            require_gold(0.999, known)
        require_gold(float(str(caught.value).rpartition(" ")[2]), known)


def test_the_sizes_of_sets_are_reported() -> None:
    sizes = SetSizes()
    label = label_of("nominal", {"a": 0.8, "b": 0.2}, None)
    for held in (["a"], ["a"], ["a", "b"], ["b"]):
        sizes.add({"x": replace(label, details={"set": held}), "y": label, "z": Unlabelled("no")})
    assert list(sizes.lines(0.9)) == ["x: sets at 0.9 hold 1.25 classes on average (1: 75%, 2: 25%)"]
    assert list(SetSizes().lines(None)) == []


def test_sets_of_all_classes_are_said_to_be_of_no_use() -> None:
    sizes, all_whole = SetSizes(), SetSizes()
    label = label_of("nominal", {"a": 0.8, "b": 0.2}, None)
    all_whole.add({"x": replace(label, details={"set": ["a", "b"]})})
    assert next(all_whole.lines(0.9)).endswith("(2: 100%); they rule out no class, so they are of no use")
    for held in [["a", "b"]] * 19 + [["a"]]:
        sizes.add({"x": replace(label, details={"set": held})})
    assert next(sizes.lines(0.9)).endswith("(1: 5%, 2: 95%); they rule out hardly any class, so they are of no use")
