"""Label columns are vectors in one order, and a row that does not fit is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from vsgen.errors import InputError, OptionError
from vsgen.export.labels import labelled
from vsgen.values import Row

MakeRow = Callable[..., Row]


def vectors(rows: Sequence[Row], **options: Any) -> list[list[float]]:
    found = labelled(rows, **options)
    return [found.only().vector(row) for row in found.rows]


def other(probs: object, **more: object) -> dict[str, object]:
    return {"category": {"probs": probs, **more}}


def test_first_row_says_the_order_of_the_classes(make_row: MakeRow) -> None:
    rows = [make_row(0), make_row(1, labels=other({"how-to": 0.5, "billing": 0.3, "bug": 0.2}))]
    assert vectors(rows) == [[0.1, 0.7, 0.2], [0.3, 0.2, 0.5]]
    assert labelled(rows).labels[0].classes == ("billing", "bug", "how-to")


def test_classes_say_the_order_where_they_are_given(make_row: MakeRow) -> None:
    assert vectors([make_row()], classes=("bug", "how-to", "billing")) == [[0.7, 0.2, 0.1]]


@pytest.mark.parametrize("probs", [{"bug": 1.0}, {"billing": 0.1, "bug": 0.7, "how-to": 0.1, "spam": 0.1}])
def test_row_with_other_classes_is_named(make_row: MakeRow, probs: dict[str, float]) -> None:
    with pytest.raises(
        InputError, match=r"rows.jsonl:2: labels.category: the classes must be billing, bug, how-to, got"
    ):
        vectors([make_row(0), make_row(1, labels=other(probs))])
    with pytest.raises(InputError, match=r"rows.jsonl:1: .* must be bug, spam, got billing"):
        vectors([make_row(0)], classes=("bug", "spam"))


@pytest.mark.parametrize("label", [None, {"probs": None, "problem": "too long"}, {"problem": "too long"}])
def test_row_that_could_not_be_labelled_is_an_error_or_left_out(make_row: MakeRow, label: object) -> None:
    rows = [make_row(0, labels={"category": label}), make_row(1), make_row(2, labels={"category": label})]
    with pytest.raises(InputError, match=r"rows.jsonl:1: labels.category: could not be labelled; .*--skip-unlabelled"):
        vectors(rows)
    left: list[str] = []
    assert vectors(rows, skip=left.append) == [[0.1, 0.7, 0.2]]
    assert len(left) == 2
    with pytest.raises(InputError, match="no row of the input is labelled"):
        labelled(rows[:1], skip=left.append)


def test_missing_labels_are_named_with_those_that_are_there(make_row: MakeRow) -> None:
    with pytest.raises(InputError, match=r"rows.jsonl:1: labels.tone: is missing; the row has category"):
        labelled([make_row()], ["tone"])
    with pytest.raises(
        InputError, match=r"rows.jsonl:1: .*; add one: vsgen label rows.jsonl --name NAME --classes A,B -o"
    ):
        labelled([make_row(labels={})])
    with pytest.raises(InputError, match="the input has no rows"):
        labelled([])
    with pytest.raises(InputError, match=r"labels.category: must be an object with probs, got 'bug'"):
        labelled([make_row(labels={"category": "bug"})])


@pytest.mark.parametrize(
    ("probs", "problem"),
    [
        ({"billing": 0.5, "bug": 0.5, "how-to": 0.5}, "must sum to 1, got 1.5"),
        ({"billing": 1.5, "bug": -0.5, "how-to": 0}, "must be probabilities"),
        ({"billing": "1", "bug": 0, "how-to": 0}, "must be probabilities"),
        ({"billing": None, "bug": 1, "how-to": 0}, "must be probabilities"),
    ],
)
def test_what_is_no_distribution_is_refused(make_row: MakeRow, probs: object, problem: str) -> None:
    with pytest.raises(InputError, match=rf"rows.jsonl:2: labels.category: {problem}"):
        vectors([make_row(0), make_row(1, labels=other(probs))])


def test_labels_of_which_several_apply_need_not_sum_to_one(make_row: MakeRow) -> None:
    rows = [make_row(labels=other({"urgent": 0.9, "rude": 0.7}, kind="multi"))]
    assert vectors(rows) == [[0.9, 0.7]]
    assert labelled(rows).labels[0].multi


def test_forms_of_one_label_ask_which(make_row: MakeRow) -> None:
    rows = [make_row(labels={"category": {"probs": {"a": 1}}, "tone": {"probs": {"b": 1}}})]
    with pytest.raises(OptionError, match="--label: this form holds one label, got category, tone"):
        labelled(rows).only()
    assert labelled(rows, ["tone"]).only().classes == ("b",)
    for names, classes in ((["category", "tone"], ("a",)), (["category"], ("a", "a"))):
        with pytest.raises(OptionError, match="--classes: must be different classes of one --label"):
            labelled(rows, names, classes)
