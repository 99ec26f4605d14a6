"""The form of a label is chosen by results, before the first row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle, islice

import pytest

from vsgen.errors import InputError, TemplateError
from vsgen.flows.label import Labels
from vsgen.jobs.label_forms import FormChoice, Tried
from vsgen.labels.conformal import choosing
from vsgen.labels.names import FORMS, Form
from vsgen.labels.soft import soft_label
from vsgen.template.load import template_of
from vsgen.template.schema import Template
from vsgen.values import Row, SoftLabel, Unlabelled

CLASSES = ("bad", "so", "good")
EXAMPLES = [{"text": "It broke.", "mood": "bad"}]
SURE = [(0.9, 0.05, 0.05), (0.05, 0.9, 0.05), (0.05, 0.05, 0.9)]
SAME = [(0.98, 0.01, 0.01)]
FLAT = [(1 / 3, 1 / 3, 1 / 3)]


def template(**settings: object) -> Template:
    given = {"name": "mood", "classes": CLASSES, "prompt": "{{ text }}", "examples": EXAMPLES, **settings}
    section = {key: value for key, value in given.items() if value is not None}
    return template_of({"version": 1, "name": "t", "prompt": "-", "labels": [section]}, "t.yaml")


def label(probs: Sequence[float], mass: float) -> SoftLabel:
    return soft_label(dict(zip(CLASSES, probs, strict=True)), mass)


def rows(count: int) -> list[Row]:
    """Their classes take turns."""
    return [Row(i, {"text": str(i), "mood": CLASSES[i % 3]}, f"in:{i + 1}") for i in range(count)]


def choice(
    each: Mapping[Form, tuple[Sequence[Sequence[float]], float] | str],
    *,
    known: bool,
    count: int = 30,
    level: float | None = None,
) -> FormChoice:
    """What is chosen where each form gives labels in turn with a mass, or refuses with a problem."""
    gate = FormChoice(template(), known=known, level=level)
    made: dict[Form, list[SoftLabel | Unlabelled]] = {
        form: [Unlabelled(way)] * count
        if isinstance(way, str)
        else [label(probs, way[1]) for probs in islice(cycle(way[0]), count)]
        for form, way in each.items()
    }
    gate.admit([Tried(row, {form: {"mood": made[form][i]} for form in FORMS}) for i, row in enumerate(rows(count))])
    gate.admit([None])
    return gate


def form(gate: FormChoice) -> str:
    return gate.chosen.labels[0].form


def test_without_gold_a_form_that_says_something_is_taken_before_one_of_great_mass() -> None:
    gate = choice({"chat": (FLAT, 1.0), "turns": (SAME, 0.94), "plain": (SURE, 0.12)}, known=False)
    assert form(gate) == "plain"
    (line,) = gate.lines()
    assert line.startswith("mood: form plain: chosen without gold on the first 30 rows, whose replies carry 0.0")
    assert "chat 0.000 (-0.0" in line and line.endswith("; --calibrate GOLD chooses by log loss")


def test_without_gold_mass_decides_between_forms_that_say_as_much() -> None:
    assert form(choice({"chat": (SURE, 0.2), "turns": (SURE, 0.9), "plain": (SURE, 0.5)}, known=False)) == "turns"


def test_the_information_of_a_form_is_that_of_its_classes_about_the_texts() -> None:
    gate = choice({"chat": (SURE, 0.5), "turns": (SAME, 1.0), "plain": (FLAT, 1.0)}, known=False)
    entropy = -math.fsum(p * math.log(p) for p in SURE[0])
    (one,) = gate._choices
    assert one.figures["chat"] == pytest.approx(0.5 * (math.log(3) - entropy))
    assert one.figures["turns"] == one.figures["plain"] == pytest.approx(0, abs=1e-12)


def test_rows_that_choose_the_size_of_sets_do_not_choose_the_form() -> None:
    each: dict[Form, tuple[Sequence[Sequence[float]], float]] = {form: (SURE, 1.0) for form in FORMS}
    (one,) = choice(each, known=True, level=0.9)._choices
    assert one.rows == 30 - sum(choosing(30, 0.9)) == 15


def test_gold_rows_with_null_choose_no_form() -> None:
    gate = FormChoice(template(), known=True)
    made: dict[Form, Labels] = {form: {"mood": label(SURE[0], 1.0)} for form in FORMS}
    gate.admit([Tried(Row(i, {"text": "t", "mood": gold}), made) for i, gold in enumerate(["bad", None, "bad"])])
    gate.admit([None])
    assert [one.rows for one in gate._choices] == [2]


def test_with_gold_the_least_held_out_loss_decides_whatever_the_mass() -> None:
    wrong = [SURE[1], SURE[2], SURE[0]]  # consistently wrong, which a bias cannot mend
    gate = choice({"chat": (wrong, 1.0), "turns": (SURE, 1e-9), "plain": (FLAT, 1.0)}, known=True)
    assert form(gate) == "turns"
    (line,) = gate.lines()
    assert line.startswith("mood: form turns: held-out log loss 0.") and "on 30 gold rows; chat 1." in line
    assert "calibrate" not in line


def test_forms_that_gold_cannot_tell_apart_are_told_apart_by_what_they_say() -> None:
    each: dict[Form, tuple[Sequence[Sequence[float]], float] | str]
    each = {"chat": (FLAT, 1.0), "turns": (SAME, 1.0), "plain": (SURE[:2], 0.5)}  # in turn, as the classes are not
    gate = choice(each, known=True, count=6)  # in no form more is seen than the class prior
    assert len({round(one, 9) for one in gate._choices[0].figures.values()}) == 1
    assert form(gate) == "plain"


def test_equal_forms_leave_the_first() -> None:
    assert form(choice(dict.fromkeys(FORMS, (SURE, 0.5)), known=True)) == "chat"
    assert form(choice(dict.fromkeys(FORMS, (SURE, 0.5)), known=False)) == "chat"


def test_a_form_that_is_refused_is_named_and_another_one_taken() -> None:
    gate = choice({"chat": (FLAT, 1.0), "turns": (SAME, 1.0), "plain": "no plain completion"}, known=True)
    assert form(gate) == "chat"
    assert "plain impossible (no plain completion)" in gate.lines()[0]
    with pytest.raises(InputError, match="in:1: label mood: too long"):
        choice(dict.fromkeys(FORMS, "too long"), known=True)


def test_labels_of_tried_rows_are_those_of_the_form_that_was_chosen() -> None:
    gate = choice({"chat": (FLAT, 1.0), "turns": (SURE, 0.9), "plain": (SAME, 1.0)}, known=True)
    tried: dict[Form, Labels] = {one: {"mood": label(SURE[i], 1.0)} for i, one in enumerate(FORMS)}
    assert gate.labels(tried) == tried["turns"]


@pytest.mark.parametrize(
    ("settings", "known", "expected"),
    [
        ({}, False, {"mood"}),
        ({"form": "turns"}, True, set()),
        ({"examples": []}, True, set()),
        ({"method": "votes", "think": False}, True, set()),
        ({"method": "verbalized"}, False, set()),
    ],
)
def test_a_form_is_open_only_where_scored_examples_leave_it(
    settings: Mapping[str, object], known: bool, expected: set[str]
) -> None:
    assert FormChoice(template(**settings), known=known).names == expected


def test_why_no_form_was_tried_is_said() -> None:
    gate = FormChoice(template(), known=False)
    assert "cannot be read before the others, so no form was tried; give the rows as a file" in gate.untried(
        readable=False
    )
    assert "none of the first 32 rows can be labeled, so no form was tried; give --calibrate" in gate.untried(
        readable=True
    )


def test_a_form_that_there_is_not_is_one_problem() -> None:
    with pytest.raises(TemplateError) as caught:
        template(form="turned")
    assert str(caught.value).endswith(
        "labels.0.form: must be 'chat', 'turns', 'plain' or 'auto', got 'turned'; did you mean 'turns'?"
    )


def test_labels_whose_rows_list_their_classes_need_gold_for_a_choice() -> None:
    own = {"classes": None, "choices": "options", "examples": [{"text": "a", "options": ["x", "y"], "mood": "x"}]}
    assert FormChoice(template(**own), known=False).names == set()
    assert FormChoice(template(**own), known=True).names == {"mood"}
