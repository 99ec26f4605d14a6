"""Votes: the draw's weight, shared among its answers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.labels.answers import votes


def test_weights_of_equal_answers_add_up_and_the_likeliest_comes_first() -> None:
    label = votes(["4", "5", None, "4"], [0.3, 0.4, 0.1, 0.15])
    assert label is not None
    assert list(label.probs) == ["4", "5"]
    assert label.probs == pytest.approx({"4": 0.45 / 0.85, "5": 0.4 / 0.85})
    assert label.label_mass == pytest.approx(0.85)
    assert label.margin == pytest.approx(0.05 / 0.85)
    assert label.entropy == pytest.approx(-sum(p * math.log(p) for p in label.probs.values()))


def test_one_answer_is_certain_and_none_is_no_label() -> None:
    label = votes(["4"], [1.0])
    assert label is not None
    assert (label.probs, label.entropy, label.margin, label.label_mass) == ({"4": 1.0}, 0.0, 1.0, 1.0)
    assert votes([], []) is None
    assert votes([None], [1.0]) is None
    assert votes(["4"], [0.0]) is None


@given(st.lists(st.tuples(st.sampled_from(["1", "2", "3", None]), st.floats(0.01, 1)), min_size=1))
def test_shares_sum_to_1_and_do_not_depend_on_the_order(pairs: list[tuple[str | None, float]]) -> None:
    total = math.fsum(weight for _, weight in pairs)
    answers, weights = [answer for answer, _ in pairs], [weight / total for _, weight in pairs]
    label, again = votes(answers, weights), votes(answers[::-1], weights[::-1])
    assert (label is None) == (set(answers) == {None})
    if label is not None and again is not None:
        assert math.fsum(label.probs.values()) == pytest.approx(1)
        assert label.label_mass is not None and label.label_mass <= 1
        assert label.probs == pytest.approx(again.probs)
