"""A row's name hangs on what it holds and on how many equal rows came before."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from vsgen.jobs.occurrence import Occurrences

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
ROWS = st.dictionaries(st.text(max_size=3), VALUES, max_size=4)


def names(*rows: Mapping[str, object]) -> list[str]:
    occurrences = Occurrences()
    return [occurrences.name(row) for row in rows]


def test_a_row_keeps_its_name_when_another_one_is_inserted_before_it() -> None:
    one, two, new = {"text": "a"}, {"text": "b"}, {"text": "c"}
    assert names(new, one, two)[1:] == names(one, two)


def test_equal_rows_have_names_of_their_own_and_only_their_order_among_themselves_counts() -> None:
    one, other = {"text": "a"}, {"text": "b"}
    first, second, third = names(one, one, one)
    assert len({first, second, third}) == 3
    assert names(one, other, one, other, one)[::2] == [first, second, third]


def test_the_order_of_fields_is_no_part_of_a_row() -> None:
    outer, inner = {"a": 1, "b": {"x": 1, "y": 2}}, {"b": {"y": 2, "x": 1}, "a": 1}
    assert names(outer) == names(inner)
    assert names({"a": [1, 2]}) != names({"a": [2, 1]})


@given(ROWS, ROWS)
def test_rows_have_one_name_exactly_where_they_are_one_json_object(
    one: dict[str, object], two: dict[str, object]
) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)
    assert (names(one) == names(two)) == same
