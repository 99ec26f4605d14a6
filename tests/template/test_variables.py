"""Variables are drawn by their weights, each by a generator of its own."""

from __future__ import annotations

from collections import Counter
from math import sqrt

from hypothesis import given
from hypothesis import strategies as st

from vsgen.template.schema import Template
from vsgen.template.variables import draw_variables

TONE = {"polite": 3, "neutral": 2, "angry": 1}


def template(**variables: object) -> Template:
    return Template.model_validate({"version": 1, "name": "t", "prompt": "hi", "variables": variables})


def test_draws_follow_the_weights() -> None:
    n = 6000
    made = template(tone=TONE, product=["a", "b", "c"])
    draws = [draw_variables(made, 7, i) for i in range(n)]
    tones = Counter(draw["tone"] for draw in draws)
    products = Counter(draw["product"] for draw in draws)
    for name, weight in TONE.items():
        p = weight / 6
        assert abs(tones[name] / n - p) < 4 * sqrt(p * (1 - p) / n)
    assert all(abs(products[name] / n - 1 / 3) < 4 * sqrt(2 / 9 / n) for name in "abc")
    both = Counter((draw["tone"], draw["product"]) for draw in draws)
    for tone, weight in TONE.items():  # drawn independently
        p = weight / 18
        assert all(abs(both[tone, name] / n - p) < 4 * sqrt(p * (1 - p) / n) for name in "abc")


@given(st.integers(), st.integers(min_value=0))
def test_a_draw_is_a_function_of_seed_draw_and_name(seed: int, draw: int) -> None:
    alone = draw_variables(template(tone=TONE), seed, draw)
    beside = draw_variables(template(size=[1, 2, 3], tone=TONE, place=["x"]), seed, draw)
    assert beside["tone"] == alone["tone"]
    assert beside["place"] == "x"
    assert list(beside) == ["size", "tone", "place"]


def test_seeds_draws_and_names_draw_differently() -> None:
    made = template(a=list(range(1000)), b=list(range(1000)))
    drawn = [tuple(draw_variables(made, seed, draw).values()) for seed in range(5) for draw in range(5)]
    assert len(set(drawn)) == len(drawn)
    assert all(a != b for a, b in drawn)


def test_values_keep_their_types() -> None:
    assert draw_variables(template(a=[True], b=[2.5], c=[None], d={1: 1}), 0, 0) == {
        "a": True,
        "b": 2.5,
        "c": None,
        "d": 1,
    }


def test_draws_stay_as_they_are_from_one_version_to_the_next() -> None:
    made = template(a=list(range(1000)), b={"x": 1, "y": 2})
    assert [tuple(draw_variables(made, 0, draw).values()) for draw in range(3)] == [(513, "y"), (792, "y"), (405, "y")]
