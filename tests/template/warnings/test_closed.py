"""More rows than there are different answers."""

from __future__ import annotations

import pytest

from tests.template.warnings.warned import found, made
from vsgen.template.warnings.closed import distinct, too_many
from vsgen.template.warnings.warning import Use

DAYS = {"type": "object", "properties": {"day": {"enum": ["Mon", "Tue"]}, "early": {"type": "boolean"}}}


def test_more_rows_than_answers_are_warned_of() -> None:
    template = made(choices=["a", "b", "c"], num=4)
    (text,) = found(too_many, template, Use(num=4))
    assert "num: only 3 different answers are possible, and repeats are dropped: no more than 3 can be kept" in text
    assert "ask for 3, or keep repeats with 'dedup: false'" in text
    assert found(too_many, template, Use(num=3)) == []


def test_a_number_of_the_command_line_is_named_as_its_flag() -> None:
    (text,) = found(too_many, made(choices=["a", "b"]), Use(num=9))
    assert text.startswith("-n 9: only 2 different answers")


@pytest.mark.parametrize(
    ("keys", "num"),
    [({"choices": ["a", "b"], "dedup": False}, 9), ({}, 1000), ({"choices": ["a", "b"]}, None)],
)
def test_where_repeats_stay_or_answers_are_open_any_number_fits(keys: dict[str, object], num: int | None) -> None:
    assert found(too_many, made(**keys), Use(num=num)) == []


def test_the_fields_that_are_compared_decide() -> None:
    assert found(too_many, made(output={"schema": DAYS}, dedup={"on": ["day", "early"]}), Use(num=4)) == []
    (text,) = found(too_many, made(output={"schema": DAYS}, dedup={"on": "day"}), Use(num=4))
    assert "only 2 different answers" in text


@pytest.mark.parametrize(
    ("schema", "count"),
    [
        ({"enum": [1, 2, 2]}, 2),
        ({"const": "x"}, 1),
        ({"type": "boolean"}, 2),
        ({"type": "integer", "minimum": 3, "maximum": 7}, 5),
        ({"type": "integer", "minimum": 3}, None),
        ({"type": "string"}, None),
    ],
)
def test_the_values_of_a_schema_are_counted(schema: dict[str, object], count: int | None) -> None:
    template = made(output={"schema": {"type": "object", "properties": {"x": schema}}})
    assert distinct(template) == count
