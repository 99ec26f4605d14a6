"""The gold of a row, as its field states it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsgen.errors import InputError
from vsgen.files.rows import RowInput
from vsgen.jobs.label_gold import gold_of, gold_rows
from vsgen.jobs.label_options import LabelOptions, from_flags
from vsgen.labels.settings import Kind, Label
from vsgen.values import Row

CLASSES = ("a", "b", "c")


def section(kind: Kind = "nominal") -> Label:
    return Label(name="x", classes=CLASSES, prompt="?", kind=kind)


YES, NO = [1.0, 0.0], [0.0, 1.0]


@pytest.mark.parametrize(
    ("kind", "value", "right"),
    [
        ("nominal", "b", [[0, 1, 0]]),
        ("ordinal", "c", [[0, 0, 1]]),
        ("nominal", {"a": 0.25, "c": 0.75}, [[0.25, 0, 0.75]]),
        ("nominal", {"a": 0.333, "b": 0.333, "c": 0.333}, [[pytest.approx(1 / 3)] * 3]),
        ("multi", ["a", "c"], [YES, NO, YES]),
        ("multi", [], [NO, NO, NO]),
        ("multi", "b", [NO, YES, NO]),
        ("multi", {"a": 0.5, "b": 1}, [[0.5, 0.5], YES, NO]),
    ],
)
def test_a_gold_row_names_its_class_or_classes_or_their_probabilities(
    kind: Kind, value: object, right: list[list[float]]
) -> None:
    assert gold_of(Row(0, {"x": value}, "g:1"), section(kind), CLASSES) == right


def test_a_gold_class_may_be_a_number() -> None:
    numbered = Label(name="x", classes=("1", "2"), prompt="?", kind="ordinal")
    assert gold_of(Row(0, {"x": 2}, "g:1"), numbered, ("1", "2")) == [[0, 1]]


def test_gold_may_be_in_another_field() -> None:
    assert gold_of(Row(0, {"true": "a"}, "g:1"), section(), CLASSES, "true") == [[1, 0, 0]]


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("nominal", {}, "g:7: needs a field 'x' with a class, or {class: probability}, which is missing; its"),
        ("nominal", {"x": None}, "g:7: needs a field 'x' with a class, or {class: probability}, which is null$"),
        ("nominal", {"x": ["a"]}, r"g:7: x: must be a class, or .*, got \['a'\]"),
        ("nominal", {"x": "d"}, r"g:7: x: 'd' is not one of the label's classes \(a, b, c\)"),
        ("nominal", {"x": "A"}, r"g:7: x: 'A' is not one .*\(a, b, c\); did you mean 'a'\?"),
        (
            "nominal",
            {"text": "t", "y": "a"},
            "g:7: needs a field .x. .* is missing; its fields are: text, y",
        ),
        ("nominal", {"x": ""}, "g:7: x: '' is not one"),
        ("nominal", {"x": {"a": 0.5, "b": 0.4}}, "g:7: x: probabilities of the classes must sum to 1, got 0.9"),
        ("nominal", {"x": {"a": 0.5, "d": 0.5}}, "g:7: x: 'd' is not one"),
        ("nominal", {"x": {"a": "1"}}, "g:7: x: a probability is a number from 0 to 1, got '1'"),
        ("nominal", {"x": {"a": 1.5}}, "g:7: x: a probability is a number from 0 to 1, got 1.5"),
        ("nominal", {"x": {"a": True}}, "g:7: x: a probability is a number from 0 to 1, got True"),
        ("nominal", {"x": {}}, "g:7: x: probabilities of the classes must sum to 1, got 0"),
        ("multi", {"x": None}, "g:7: needs a field 'x' with a list of classes, or {class: probability}, which is null"),
        ("multi", {"x": ["a", "d"]}, "g:7: x: 'd' is not one"),
    ],
)
def test_a_gold_row_that_names_nothing_known_is_an_error(kind: Kind, fields: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=f"^{told}"):
        gold_of(Row(0, fields, "g:7"), section(kind), CLASSES)


def test_gold_rows_with_null_are_left_out_counted_and_do_not_count_as_places(tmp_path: Path) -> None:
    path = tmp_path / "g.jsonl"
    path.write_text('{"text": "t", "x": null}\n{"text": "t", "x": "a"}\n{"text": "t", "x": "b"}\n')
    template, on = from_flags([{"name": "x", "classes": list(CLASSES)}], None, [])
    found = gold_rows(RowInput(str(path)), LabelOptions(template, on, "in.jsonl"))
    assert found.unknown == 1
    assert [(row.index, row.fields["x"]) for row in found.rows] == [(0, "a"), (1, "b")]
    assert found.rows[0].where.endswith("g.jsonl:2")
