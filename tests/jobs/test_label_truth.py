"""Labels beside the gold of their own rows."""

from __future__ import annotations

import math

import pytest

from vsgen.errors import InputError, OptionError
from vsgen.flows.label import Labels
from vsgen.jobs.label_truth import Truths, require_fields, truth_fields
from vsgen.labels.settings import Kind, Label
from vsgen.labels.soft import label_of
from vsgen.values import Row, Unlabelled

CLASSES = ("a", "b")


def section(name: str = "x", kind: Kind = "nominal") -> Label:
    return Label(name=name, classes=CLASSES, prompt="?", kind=kind)


def truths(*golds: object, kind: Kind = "nominal") -> Truths:
    """Labels of .8 for a, beside these."""
    found = Truths([section(kind=kind)], {"x": "true"})
    for i, gold in enumerate(golds):
        found.add(Row(i, {"true": gold}, f"r:{i}"), {"x": label_of(kind, {"a": 0.8, "b": 0.2}, 0.5)})
    return found


def test_fields_belong_to_labels() -> None:
    one, two = [section()], [section(), section("y")]
    assert truth_fields([], two) == {}
    assert truth_fields(["true"], one) == {"x": "true"}
    assert truth_fields(["x=a=b"], one) == {"x": "a=b"}
    assert truth_fields(["y=mood", "x=true"], two) == {"y": "mood", "x": "true"}
    with pytest.raises(OptionError, match=r"^--gold true: there are 2 labels \(x, y\); give .*x=true"):
        truth_fields(["true"], two)
    with pytest.raises(
        OptionError, match=r"^--gold mod=true: there is no label 'mod'; .*: mood; did you mean mood=true"
    ):
        truth_fields(["mod=true"], [section("mood")])
    with pytest.raises(OptionError, match=r"^--gold x=: names no field"):
        truth_fields(["x="], one)
    with pytest.raises(OptionError, match=r"^--gold b: the fields 'a' and 'b' are both named for label x; leave one"):
        truth_fields(["a", "b"], one)


def test_labels_are_compared_with_the_gold_of_their_rows() -> None:
    found = truths("a", "a", "b", {"a": 0.5, "b": 0.5})
    lines = list(found.lines())
    assert lines[0].split() == ["x:", "4", "known", "labels"]
    assert "0.6250" in lines[1]
    loss = -(2.5 * math.log(0.8) + 1.5 * math.log(0.2)) / 4
    assert f"{loss:.4f}" in lines[2]
    assert any("P(class and reply)" in line for line in lines)
    assert [line.split() for line in lines[-2:]] == [["a", "2.5", "0.0"], ["b", "1.5", "0.0"]]
    ((name, known),) = found.known()
    assert (name, known.n) == ("x", 4)


def test_rows_without_gold_or_label_do_not_count_and_that_is_said() -> None:
    found = truths("a", None, "b")
    found.add(Row(3, {"true": "a"}, "r:3"), {"x": Unlabelled("no")})
    assert "  on the 2 of 4 rows with a label and a class in their field 'true'" in list(found.lines())
    nothing = truths(None)
    assert list(nothing.lines()) == ["x: no labeled row has a class in its field 'true', so nothing is compared"]
    assert list(nothing.known()) == []


def test_rows_whose_text_is_in_gold_are_not_compared_and_that_is_said() -> None:
    found = Truths([section()], {"x": "true"}, ["text"], frozenset({("a text",), ("other",)}))
    label: Labels = {"x": label_of("nominal", {"a": 0.8, "b": 0.2}, None)}
    found.add(Row(0, {"true": "a", "text": " A\nTEXT"}, "r:0"), label)
    assert list(found.known()) == []
    assert "1 of 1 rows are also in GOLD" in next(found.lines())
    found.add(Row(1, {"true": "b", "text": "a new text"}, "r:1"), label)
    assert [known.n for _, known in found.known()] == [1]
    assert "  without 1 of 2 rows, which are also in GOLD (--calibrate)" in list(found.lines())


def test_a_field_that_no_row_has_is_an_error_and_one_that_some_row_has_is_none() -> None:
    rows = [Row(0, {"text": "t"}, "r:0"), Row(1, {"text": "t", "mood": None}, "r:1")]
    require_fields(rows, ["mood"], "in.jsonl")
    require_fields([], ["mood"], "in.jsonl")
    with pytest.raises(
        OptionError, match=r"^--gold moood: no row of in.jsonl has .*: text, mood; did you mean 'mood'\?$"
    ):
        require_fields(rows, ["mood", "moood"], "in.jsonl")


def test_a_row_may_lack_the_field_and_what_is_in_it_must_be_a_class() -> None:
    found = truths()
    found.check(Row(0, {"true": "a"}, "r:1"))
    found.check(Row(0, {"true": None}, "r:1"))
    found.check(Row(0, {"text": "t"}, "r:1"))
    with pytest.raises(InputError, match=r"^r:1: true: 'c' is not one of"):
        found.check(Row(0, {"true": "c"}, "r:1"))


def test_each_of_several_classes_is_compared_with_its_own_frequency() -> None:
    found = truths(["a"], ["a"], [], ["a", "b"], kind="multi")
    lines = list(found.lines())
    assert lines[0].split() == ["x:", "4", "rows,", "8", "yes-or-no", "answers", "labels"]
    assert [known.n for _, known in found.known()] == [4], "two answers about one text are one sample"
    assert [line.split() for line in lines[-2:]] == [["a", "3", "0", "1", "0"], ["b", "0", "1", "0", "3"]]


def test_classes_that_differ_from_row_to_row_are_compared_with_equal_shares_and_have_no_matrix() -> None:
    own = Label(name="x", choices="options", prompt="?")
    found = Truths([own], {"x": "true"})
    found.check(Row(0, {}, "r:0"))
    found.add(Row(0, {"true": "p"}, "r:0"), {"x": label_of("nominal", {"p": 0.9, "q": 0.1}, None)})
    found.add(Row(1, {"true": "t"}, "r:1"), {"x": label_of("nominal", {"r": 0.2, "s": 0.3, "t": 0.5}, None)})
    with pytest.raises(InputError, match=r"^r:0: true: 'baad' is not one of the label's classes \(good, bad\)"):
        found.check(Row(0, {"true": "baad", "options": ["good", "bad"]}, "r:0"))
    *_, last = found.lines()
    assert f"{(math.log(2) + math.log(3)) / 2:.4f}" in last
    with pytest.raises(InputError, match=r"^r:2: true: 'z' is not one of"):
        found.add(Row(2, {"true": "z"}, "r:2"), {"x": label_of("nominal", {"p": 0.9, "q": 0.1}, None)})
