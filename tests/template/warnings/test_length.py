"""Lists that hardly fit into a reply."""

from __future__ import annotations

import pytest

from tests.template.warnings.warned import found, made
from vsgen.template.warnings.length import answer_tokens, cut
from vsgen.template.warnings.warning import Use

LONG = {"output": {"max_chars": 400}, "sampling": {"k": 20}}


def test_answers_that_cannot_fit_are_warned_of_with_what_does() -> None:
    (text,) = found(cut, made(**LONG))
    assert "sampling.max_tokens: is 1,024, but 20 answers take about" in text
    assert "replies may be cut; set it to 2," in text
    fits = int(text.split("lower sampling.k to ")[1])
    assert found(cut, made(output={"max_chars": 400}, sampling={"k": fits})) == []
    assert found(cut, made(output={"max_chars": 400}, sampling={"k": fits + 1})) != []


@pytest.mark.parametrize(
    "sampling",
    [{"k": 5}, {"k": 20, "max_tokens": 4096}, {"k": 20, "method": "direct"}, {"k": 20, "method": "vs-multi"}],
)
def test_answers_that_fit_or_have_a_reply_each_are_not(sampling: dict[str, object]) -> None:
    assert found(cut, made(output={"max_chars": 400}, sampling=sampling)) == []


def test_a_limit_that_nobody_set_is_not_taken_for_the_length_of_answers() -> None:
    assert found(cut, made(sampling={"k": 12})) == []
    assert found(cut, made(output={"max_chars": 400}, sampling={"k": 12})) != []


def test_a_schema_has_the_length_of_its_parts() -> None:
    part = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 40}, "n": {"type": "integer"}}}
    parts = {"type": "array", "items": part, "maxItems": 8}
    short = made(output={"schema": {"type": "object", "properties": {"part": part}}})
    long = made(output={"schema": {"type": "object", "properties": {"parts": parts, "kind": {"enum": ["a", "bb"]}}}})
    assert answer_tokens(short, Use()) < answer_tokens(long, Use()) < 8 * answer_tokens(short, Use())


def test_a_hostile_schema_costs_nothing() -> None:
    many: dict[str, object] = {"type": "string", "maxLength": 10**9}
    for _ in range(8):
        many = {"type": "array", "items": many, "minItems": 10**9}
    (text,) = found(cut, made(output={"schema": {"type": "object", "properties": {"x": many}}}))
    assert "shorten the answers in output.schema" in text


def test_the_tokenizer_at_hand_counts() -> None:
    assert found(cut, made(**LONG), Use(tokens=lambda text: 1)) == []
    assert found(cut, made(output={"max_chars": 100}), Use(tokens=len)) == []
    assert found(cut, made(output={"max_chars": 300}), Use(tokens=len)) != []
