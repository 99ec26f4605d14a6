from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsgen.sampling.replies.items import IMPOSSIBLE_PROBABILITY, PERCENT
from vsgen.sampling.replies.weights import probabilities, weigh


@settings(deadline=None)
@given(st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=30))
def test_weights_sum_to_one_and_are_never_negative(stated: list[float | None]) -> None:
    weights = weigh(stated)
    assert len(weights) == len(stated)
    assert math.fsum(weights) == pytest.approx(1.0, abs=1e-12)
    assert min(weights) >= 0.0


def test_no_items_have_no_weights() -> None:
    assert weigh([]) == ()


def test_stated_probabilities_keep_their_proportions() -> None:
    assert weigh([0.1, 0.3]) == pytest.approx((0.25, 0.75))


def test_items_without_a_probability_share_what_is_left_evenly() -> None:
    assert weigh([0.5, None, 0.3, None]) == pytest.approx((0.5, 0.1, 0.3, 0.1))


def test_nothing_is_left_where_the_stated_ones_sum_to_one_or_more() -> None:
    assert weigh([0.8, 0.8, None]) == pytest.approx((0.5, 0.5, 0.0))


@pytest.mark.parametrize("stated", [(None, None), (0.0, 0.0), (0.0,)])
def test_weights_are_equal_where_nothing_is_above_zero(stated: tuple[float | None, ...]) -> None:
    assert weigh(stated) == pytest.approx([1 / len(stated)] * len(stated))


def test_item_without_a_probability_gets_all_if_the_others_are_zero() -> None:
    assert weigh([0.0, None]) == (0.0, 1.0)


def test_bare_numbers_are_percentages_only_together() -> None:
    assert probabilities([40, 30.0, "20"]) == [(0.4, PERCENT), (0.3, PERCENT), (0.2, PERCENT)]
    assert probabilities([99, 1, 0]) == [(0.99, PERCENT), (0.01, PERCENT), (0.0, PERCENT)]
    assert probabilities([60, 39.5, 0.5])[2] == (0.5, None)
    assert probabilities([40, 30]) == [(None, IMPOSSIBLE_PROBABILITY)] * 2
    assert probabilities([1, 1]) == [(1.0, None)] * 2


def test_explicit_percentages_stand_beside_fractions() -> None:
    assert probabilities(["70%", 0.2, "101%"]) == [(0.7, PERCENT), (0.2, None), (None, IMPOSSIBLE_PROBABILITY)]


def test_words_among_percentages_do_not_change_their_meaning() -> None:
    assert probabilities([60, "high", 40, None]) == [
        (0.6, PERCENT),
        (None, IMPOSSIBLE_PROBABILITY),
        (0.4, PERCENT),
        (None, None),
    ]


@pytest.mark.parametrize(
    "value", [True, "9" * 200, "1e9999", 10**400, float("nan"), float("-inf"), [], {}, "", "٣", "0.2 0.3"]
)
def test_what_is_no_number_is_impossible(value: object) -> None:
    assert probabilities([value]) == [(None, IMPOSSIBLE_PROBABILITY)]
