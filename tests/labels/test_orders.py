"""Orders of classes: every class in every place, whatever order the user gave."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.labels.orders import orders, restored

NAMES = st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=9, unique=True)


@given(NAMES, st.integers(1, 12))
def test_every_order_has_every_class_and_none_comes_twice(classes: list[str], count: int) -> None:
    found = orders(classes, count)
    assert len(found) == len(set(found)) == min(count, len(classes))
    assert all(sorted(order) == sorted(classes) for order in found)


@given(NAMES)
def test_all_orders_let_every_class_stand_once_in_every_place(classes: list[str]) -> None:
    found = orders(classes, "all")
    for place in range(len(classes)):
        assert Counter(order[place] for order in found) == Counter(classes)


@given(NAMES.flatmap(lambda names: st.tuples(st.just(names), st.permutations(names))), st.integers(2, 12))
def test_several_orders_do_not_depend_on_the_users(pair: tuple[list[str], list[str]], count: int) -> None:
    one, other = pair
    if len(one) > 1:
        assert orders(one, count) == orders(other, count)
        assert orders(one, "all") == orders(other, "all")


def test_a_single_order_is_the_users_own() -> None:
    assert orders(["b", "a"], 1) == [("b", "a")]
    assert orders(["b"], "all") == [("b",)]


def test_some_orders_are_evenly_apart() -> None:
    assert orders("fedcba", 2) == [tuple("abcdef"), tuple("defabc")]
    assert orders("fedcba", 3) == [tuple("abcdef"), tuple("cdefab"), tuple("efabcd")]


@given(NAMES)
def test_values_are_restored_to_the_users_order(classes: list[str]) -> None:
    values = {name: float(i) for i, name in enumerate(classes)}
    for order in orders(classes, "all"):
        assert restored([values[name] for name in order], order, classes) == tuple(values.values())


def test_values_without_a_class_are_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        restored([1.0], ("a", "b"), ("a", "b"))
