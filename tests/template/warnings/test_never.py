"""Clauses of keep that hold for no answer: whatever may hold is left alone."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.template.warnings.warned import found, made
from vsgen.sections.misfit import TextProblem
from vsgen.sections.sandbox import condition_of
from vsgen.template.final import as_condition
from vsgen.template.keep import clause
from vsgen.template.warnings.never import Range, Values, never_kept, truth
from vsgen.template.warnings.warning import Use

LABELS = [{"name": "mood", "classes": ["good", "bad"], "prompt": "{{ text }}?"}]
SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["a", "b"]},
        "stars": {"type": "integer", "minimum": 1, "maximum": 5},
        "text": {"type": "string", "maxLength": 80},
        "free": {},
    },
}


def verdict(text: str, use: Use | None = None) -> list[str]:
    template = made(keep=[text], output={"schema": SCHEMA}, labels=LABELS, logp=True, sampling={"method": "vs"})
    return list(found(never_kept, template, use))


@pytest.mark.parametrize(
    "text",
    [
        "probability > 1",
        "probability >= 1.5",
        "0.5 < probability - 1",
        "verbalized < 0",
        "logp > 0",
        "-logp < 0",
        "labels.mood.probs.good > 1",
        "labels['mood'].label_mass > 1.1",
        "labels.mood.entropy < 0",
        "kind == 'c'",
        "kind == 'A'",
        "stars > 5",
        "stars * 2 > 11",
        "stars == 0",
        "text|length > 80",
        "product == 'tent'",
        "probability > 1 and stars > 2",
        "stars > 5 or logp > 1",
        "not (stars >= 1)",
        "1 < stars < 1",
        "false",
        "0",
        "stars > 3 and probability > 2",
    ],
)
def test_what_can_never_hold_is_named(text: str) -> None:
    (warned,) = verdict(text)
    assert "is never true, so no row is kept; correct the expression" in warned


@pytest.mark.parametrize(
    "text",
    [
        "probability > 0.99",
        "probability >= 1",
        "verbalized != none",
        "logp > -1",
        "logp == 0",
        "labels.mood.probs.good > 0.9",
        "labels.mood.probs.good > 0.5 and labels.mood.margin < 0.2",
        "labels.mood.entropy > 5",
        "labels.mood.probs|length > 5",
        "kind == 'a'",
        "kind != 'a'",
        "kind in ['b', 'c']",
        "stars > 4",
        "stars + 1 > 5",
        "text|length > 79",
        "'x' in text",
        "text|upper == 'YES'",
        "free > 1000",
        "product == 'kettle'",
        "product|length > 100",
        "stars % 7 == 6",
        "stars > 5 or 'x' in text",
        "not (stars > 5)",
        "true",
        "free is defined",
    ],
)
def test_what_may_hold_is_left_alone(text: str) -> None:
    assert verdict(text) == []


def test_rows_may_give_a_variable_any_value() -> None:
    assert verdict("product == 'tent'", Use(rows=True)) == []


def test_the_values_that_are_possible_are_named() -> None:
    assert "stars is at least 1 and at most 5" in verdict("stars > 5")[0]
    assert 'kind is one of "a", "b"' in verdict("kind == 'c'")[0]
    assert "stars" not in verdict("kind == 'c'")[0] and "stars is" not in verdict("kind == 'stars'")[0]


NUMBERS = st.sampled_from(["x", "y", "1", "0.5", "-2", "x + 1", "y - x", "2 * x", "-y"])
SIGNS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
COMPARED = st.builds("{} {} {}".format, NUMBERS, SIGNS, NUMBERS)
CONDITIONS = st.recursive(
    COMPARED,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
        | st.builds("(not {})".format, inner)
    ),
    max_leaves=4,
)


@given(CONDITIONS)
def test_no_condition_is_said_to_be_what_it_is_not(text: str) -> None:
    xs, ys = (0.0, 0.3, 1.0), (-2, 1, 4)
    said = truth(condition_of(as_condition(text)), {"x": Range(0.0, 1.0), "y": Values(ys)})
    for x, y in itertools.product(xs, ys):
        try:
            assert clause(text).holds({"x": x, "y": y}) in said
        except TextProblem:
            pytest.fail(text)
