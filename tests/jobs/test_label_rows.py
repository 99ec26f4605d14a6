"""A row on its way: what it must have, what is written of it, and where it waits."""

from __future__ import annotations

from contextlib import closing

import pytest

from vsgen.errors import InputError
from vsgen.jobs.label_options import LabelOptions, from_flags
from vsgen.jobs.label_rows import How, Labelled, Spool, checked, is_usable, row_line, soft, with_text
from vsgen.labels.soft import multi_label, soft_label
from vsgen.values import Row, SoftLabel, Unlabelled

JOB = LabelOptions(*from_flags([{"name": "x", "classes": ["a", "b"]}], None, []), "in.jsonl")
LABEL = soft_label({"a": 0.75, "b": 0.25}, 0.5)
HOW = How({"x": "m"}, 3, {"x": "score"})
MADE = {"method": "score", "model": "m", "seed": 3}


def row(**fields: object) -> Row:
    return Row(4, fields, "in.jsonl:5")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "in.jsonl:5: no field 'text' to label; its fields are: none"),
        ({"body": 1, "id": 2}, "in.jsonl:5: no field 'text' to label; its fields are: body, id"),
        ({"text": None}, "in.jsonl:5: field 'text' is null"),
        ({"text": "t", "labels": 3}, "in.jsonl:5: field 'labels' must be an object of labels, got int"),
        ({"text": "t", "labels": None}, "in.jsonl:5: field 'labels' must be an object of labels, got NoneType"),
        ({"text": "t", "labels": {"x": {}}}, "in.jsonl:5: has a label 'x' already"),
    ],
)
def test_a_row_that_cannot_be_labelled_is_told(fields: dict[str, object], told: str) -> None:
    with pytest.raises(InputError) as caught:
        checked(row(**fields), JOB)
    assert str(caught.value).startswith(told)


def test_a_row_that_lacks_what_a_prompt_needs_chooses_no_form_though_it_is_kept() -> None:
    sections = [{"name": "x", "classes": ["a", "b"], "prompt": "{{ title }}: {{ text }}"}]
    lenient = LabelOptions(*from_flags(sections, None, []), "in.jsonl", skip_bad_rows=True)
    assert is_usable(row(text="t", title="T"), lenient)
    assert checked(row(text="t"), lenient) and not is_usable(row(text="t"), lenient)


@pytest.mark.parametrize("text", ["t", 0, 3.5, False, ["a"], {"a": 1}])
def test_any_text_or_value_can_be_labelled(text: object) -> None:
    given = row(text=text, labels={"y": {}})
    assert checked(given, JOB) is given
    assert with_text(given, JOB) is given


def test_a_row_is_written_with_its_own_fields_first_and_what_was_there_before() -> None:
    given = row(labels={"y": {"probs": 1}}, text="t", meta={"seed": 1, "labelled": {"y": {"seed": 9}}}, id=7)
    line = row_line(Labelled(given, {"x": LABEL}, 0), HOW)
    assert list(line) == ["text", "id", "labels", "meta"]
    assert line["labels"] == {
        "y": {"probs": 1},
        "x": {"probs": {"a": 0.75, "b": 0.25}, "entropy": 0.562335, "margin": 0.5, "label_mass": 0.5},
    }
    assert line["meta"] == {"seed": 1, "labelled": {"y": {"seed": 9}, "x": MADE}}
    assert given.fields["meta"] == {"seed": 1, "labelled": {"y": {"seed": 9}}}


@pytest.mark.parametrize("meta", ["mine", None, 3, ["a"]])
def test_a_meta_that_is_no_object_is_kept(meta: object) -> None:
    assert row_line(Labelled(row(text="t", meta=meta), {"x": LABEL}, 0), HOW)["meta"] == meta


def test_without_meta_nothing_is_said_of_the_making_and_nothing_is_lost() -> None:
    assert "meta" not in row_line(Labelled(row(text="t"), {"x": LABEL}, 0), None)
    assert row_line(Labelled(row(text="t", meta={"a": 1}), {"x": LABEL}, 0), None)["meta"] == {"a": 1}


def test_what_could_not_be_labelled_says_why() -> None:
    lost = Labelled(row(text="t"), {"x": Unlabelled("too long")}, 0)
    assert row_line(lost, None)["labels"] == {"x": {"probs": None, "problem": "too long"}}
    assert soft(lost, "x") is None
    assert soft(Labelled(row(text="t"), {"x": LABEL}, 0), "x") is LABEL


def test_rows_that_wait_come_back_equal_and_in_order() -> None:
    several = multi_label({"a": 0.5, "b": 0.1}, None)
    made: list[SoftLabel | Unlabelled] = [LABEL, Unlabelled("no"), several]
    rows = [
        Labelled(Row(i, {"text": f"é{i}", "deep": {"x": [i, None]}}, f"in:{i}"), {"x": one}, i)
        for i, one in enumerate(made)
    ]
    with closing(Spool()) as spool:
        for row_ in rows:
            spool.add(row_)
        assert list(spool) == list(spool) == rows
    with closing(Spool()) as empty:
        assert list(empty) == []
