"""Numbered lines: what constrains them, and how they are read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sampling.test_methods import converse
from vsgen.sampling import schemas
from vsgen.sampling.prompts import Format
from vsgen.sampling.replies.parse import parse_list
from vsgen.sampling.settings import Sampling, Settings

CLOSED: dict[str, Any] = {"type": "object", "properties": {"text": {"enum": ["Mango", "C (sharp)", "3.5"]}}}
FORMATS: tuple[Format, ...] = ("json", "lines")
OPEN: dict[str, Any] = {"type": "object", "properties": {"text": {"type": "string", "maxLength": 12}}}


def pattern(item: dict[str, Any], k: int, *, verbalized: bool) -> str:
    held = schemas.lines(item, k, verbalized=verbalized)
    assert held is not None
    return held


@pytest.mark.parametrize(
    ("line", "text", "probability"),
    [
        ("1. Mango (0.16)", "Mango", 0.16),
        ("1. Mango (1)", "Mango", 1.0),
        ("1. C (sharp) (0.2)", "C (sharp)", 0.2),
        ("1. Harry Potter (2001) (0.125)", "Harry Potter (2001)", 0.125),
        ("1. 3.5 (0.5)", "3.5", 0.5),
        ("1. He said: (0.3) (0.1)", "He said: (0.3)", 0.1),
        ("1. Sunday: rest (0.4)", "Sunday: rest", 0.4),
    ],
)
def test_a_line_is_an_answer_and_its_probability(line: str, text: str, probability: float) -> None:
    drawn, _ = converse(Settings(Sampling(method="vs", k=1, format="lines")), lambda i, _: line)
    (one,) = drawn.candidates
    assert (one.fields, one.verbalized, one.flags) == ({"text": text}, probability, ())


def test_lines_in_place_of_json_are_flagged_only_where_json_was_asked_for() -> None:
    flags = [
        converse(Settings(Sampling(method="vs", k=1, format=form)), lambda i, _: "1. Mango (0.16)")[0]
        for form in FORMATS
    ]
    assert [drawn.candidates[0].flags for drawn in flags] == [("no-json",), ()]


@pytest.mark.parametrize(
    ("reply", "fits"),
    [
        ("1. Mango (0.16)\n2. C (sharp) (0.5)", True),
        ("1. 3.5 (1)\n2. Mango (1.0)", True),
        ("1. Mango (0.16)", False),
        ("1. Mango (0.16)\n2. Mango (0.1)\n3. Mango (0.1)", False),
        ("1. Mango\n2. Mango", False),
        ("1. Apple (0.16)\n2. Mango (0.1)", False),
        ("1. Mango (0.16)\n2. Mango (1.5)", False),
        ("1. Mango (0.1612)\n2. Mango (0.5)", False),
        ("1. Mango (0.16)\n3. Mango (0.5)", False),
        (" 1. Mango (0.16)\n2. Mango (0.5)", False),
    ],
)
def test_lines_of_a_closed_set_hold_its_answers_k_times_with_a_probability(reply: str, fits: bool) -> None:
    assert bool(re.fullmatch(pattern(CLOSED, 2, verbalized=True), reply)) == fits


@pytest.mark.parametrize(
    ("reply", "fits"),
    [("1. Mango\n2. Apple", True), ("1. Mango\n2. ", False), ("1. A\nB\n2. C", False), ("1. " + "x" * 13, False)],
)
def test_free_lines_hold_one_line_each_within_the_length(reply: str, fits: bool) -> None:
    assert bool(re.fullmatch(pattern(OPEN, 2, verbalized=False), reply)) == fits


def test_lines_hold_the_pattern_of_the_field() -> None:
    year = {"properties": {"text": {"type": "string", "pattern": "^[0-9]{4}$"}}}
    held = pattern(year, 1, verbalized=True)
    assert re.fullmatch(held, "1. 2024 (0.2)") and not re.fullmatch(held, "1. 24 (0.2)")


def test_free_decoding_has_no_pattern() -> None:
    assert schemas.lines(None, 3, verbalized=True) is None


@pytest.mark.parametrize("method", ["sequence", "vs", "vs-multi"])
def test_a_method_in_lines_is_constrained_by_a_pattern_and_no_schema(method: Any) -> None:
    reply = "1. Mango\n2. 3.5" if method == "sequence" else "1. Mango (0.3)\n2. 3.5 (0.1)"
    drawn, calls = converse(
        Settings(Sampling(method=method, format="lines", k=4, per_turn=2), item_schema=CLOSED), lambda i, _: reply
    )
    assert all(call.schema is None and call.pattern is not None for call in calls)
    sizes = [4] if method != "vs-multi" else [2, 2]
    assert [len(re.findall(r"(?m)^\d+\\\.|\\n\d+\\\.", str(call.pattern))) for call in calls] == sizes
    assert [one.fields["text"] for one in drawn.candidates][:2] == ["Mango", "3.5"]
    assert drawn.candidates[0].verbalized == (None if method == "sequence" else 0.3)


words = st.text(st.characters(categories=("Ll", "Lu", "Nd")), min_size=2, max_size=9)
answers = st.lists(words, min_size=1, max_size=4).map(" ".join).filter(lambda text: not text[0].isdigit())


@given(st.lists(st.tuples(answers, st.integers(1, 999)), min_size=2, max_size=8))
def test_lines_as_the_pattern_allows_them_are_read_back(items: list[tuple[str, int]]) -> None:
    reply = "\n".join(f"{i}. {text} ({share / 1000:g})" for i, (text, share) in enumerate(items, 1))
    free = {"properties": {"text": {"type": "string"}}}
    assert re.fullmatch(pattern(free, len(items), verbalized=True), reply)
    read = parse_list(reply, ["text"]).items
    assert [(one.fields["text"], one.verbalized) for one in read] == [(text, share / 1000) for text, share in items]


def test_a_set_too_large_to_be_written_out_k_times_leaves_the_lines_free() -> None:
    item = {"properties": {"text": {"enum": [f"answer {i}" for i in range(12_000)]}}}
    assert schemas.lines(item, 2, verbalized=True) is not None
    assert schemas.lines(item, 50, verbalized=True) is None  # a grammar of it takes 700 MB before it is refused
