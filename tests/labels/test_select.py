"""Borderline selection: how many rows, which ones, and what a user may ask for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.errors import OptionError
from vsgen.labels.select import (
    CRITERIA,
    Criterion,
    Selection,
    informativeness,
    most_informative,
    normalised_entropy,
    parse_selection,
)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_selection_is_a_criterion_and_a_share(criterion: Criterion) -> None:
    assert parse_selection(f"{criterion}:0.2") == Selection(criterion, 0.2)
    assert parse_selection(f"{criterion}:1") == Selection(criterion, 1.0)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("borderlin:0.2", "--select borderlin:0.2: must begin with one of borderline, margin, disagreement, "
                          "got 'borderlin'; did you mean 'borderline'?"),
        ("0.2", "--select 0.2: must begin with .* got '0.2'; such as borderline:0.2"),
        ("margin", "--select margin: the share must be above 0 and at most 1, got none; such as margin:0.2"),
        ("margin:0", "above 0 and at most 1, got '0'"),
        ("margin:1.5", "above 0 and at most 1, got '1.5'"),
        ("margin:20%", "above 0 and at most 1, got '20%'"),
        ("margin:nan", "above 0 and at most 1, got 'nan'"),
    ],
)  # fmt: skip
def test_what_is_no_selection_is_told_with_a_remedy(word: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        parse_selection(word)


def test_entropy_is_a_share_of_its_maximum() -> None:
    assert normalised_entropy(math.log(4), 4) == 1
    assert normalised_entropy(math.log(2), 4) == pytest.approx(0.5)
    assert normalised_entropy(0.0, 1) == 0
    assert normalised_entropy(math.log(3) * (1 + 1e-15), 3) == 1


def test_each_criterion_ranks_by_its_own_measure() -> None:
    def value(criterion: Criterion) -> float | None:
        return informativeness(criterion, entropy=math.log(2), margin=0.3, classes=4, disagreement=0.1)

    assert value("borderline") == pytest.approx(0.5)
    assert value("margin") == -0.3
    assert value("disagreement") == 0.1
    assert informativeness("disagreement", entropy=1.0, margin=0.3, classes=4) is None


def test_the_largest_values_are_chosen_and_stand_in_the_order_of_the_input() -> None:
    assert most_informative([0.1, 0.9, 0.5, 0.7, 0.2], 0.5) == [1, 2, 3]


def test_the_earlier_of_equal_rows_is_chosen() -> None:
    assert most_informative([0.5, 0.9, 0.5, 0.5], 0.5) == [0, 1]


def test_a_row_without_a_label_is_never_chosen_nor_counted() -> None:
    assert most_informative([None, 0.1, None, 0.9], 0.5) == [3]
    assert most_informative([None, 0.1, None, 0.9], 1.0) == [1, 3]
    assert most_informative([None, None], 1.0) == []
    assert most_informative([], 0.2) == []


@pytest.mark.parametrize(("share", "rows", "size"), [(0.07, 100, 7), (0.1, 30, 3), (0.1, 31, 4), (0.01, 5, 1)])
def test_a_share_is_meant_as_it_is_written_and_rounded_up(share: float, rows: int, size: int) -> None:
    assert len(most_informative([1.0] * rows, share)) == size


@given(st.lists(st.none() | st.floats(0, 1), max_size=30), st.floats(0.01, 1))
def test_no_row_left_out_says_more_than_one_that_is_kept(values: list[float | None], share: float) -> None:
    kept = most_informative(values, share)
    chosen = [value for i in kept if (value := values[i]) is not None]
    left = [value for i, value in enumerate(values) if i not in kept and value is not None]
    assert len(chosen) == len(kept)
    assert kept == sorted(set(kept))
    assert max(left, default=-1) <= min(chosen, default=2)
