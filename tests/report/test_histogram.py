"""Histograms of plain text."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from vsgen.report.histogram import histogram


def counts(lines: list[str]) -> list[int]:
    return [int(found[1]) for line in lines if (found := re.search(r"  +(\d+)(  #+)?$", line))]


def test_a_bar_is_as_long_as_its_count() -> None:
    assert histogram([0.1, 0.2, 0.6, 1.0], bins=2, width=10, low=0, high=1) == [
        "  0 to 0.5  2  ##########",
        "0.5 to   1  2  ##########",
    ]
    assert histogram([0.0] * 99 + [1.0], bins=2, width=10) == [
        "  0 to 0.5  99  ##########",
        "0.5 to   1   1  #",
    ]


def test_a_value_on_an_edge_is_in_the_bin_above_and_the_last_edge_in_the_last_bin() -> None:
    hundredths = [i / 100 for i in range(101)]
    assert counts(histogram(hundredths, bins=100, low=0, high=1)) == [1] * 99 + [2]


def test_values_outside_the_edges_have_lines_of_their_own() -> None:
    assert histogram([-1.0, 0.5, 3.0, 3.0], bins=1, width=2, low=0, high=1) == [
        "below 0  1  #",
        "0 to 1   1  #",
        "above 1  2  ##",
    ]


def test_equal_values_are_one_bin_and_no_values_are_said() -> None:
    assert histogram([2.0, 2.0], width=3) == ["2 to 2  2  ###"]
    assert histogram([]) == ["no values"]


def test_an_empty_bin_has_a_line_without_a_bar() -> None:
    assert histogram([0.0, 1.0], bins=3, width=1)[1] == "0.3333 to 0.6667  0"


@given(st.lists(st.floats(-100, 100), min_size=1), st.integers(1, 30))
def test_every_value_is_counted_once(values: list[float], bins: int) -> None:
    assert sum(counts(histogram(values, bins=bins))) == len(values)
    assert sum(counts(histogram(values, bins=bins, low=-10, high=10))) == len(values)
