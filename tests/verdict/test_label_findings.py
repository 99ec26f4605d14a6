"""What is found in labels: that they say nothing of the classes, or the same of every row."""

from __future__ import annotations

import pytest

from tests.verdict.drawing import template
from vsgen.labels.names import Prior
from vsgen.labels.settings import Label
from vsgen.values import SoftLabel
from vsgen.verdict.finding import Finding
from vsgen.verdict.observed import Known
from vsgen.verdict.setup import Setup
from vsgen.verdict.watch import Watch


def findings(*goods: float, known: Known | None = None) -> list[Finding]:
    watch = Watch(Setup(template()))
    for good in goods:
        watch.add_row({"mood": SoftLabel({"good": good, "bad": 1 - good}, 0.0, 0.0, None)})
    if known is not None:
        watch.add_known("mood", known)
    return list(watch.verdict().findings)


def test_labels_that_are_nearly_all_uniform_are_bad() -> None:
    (one,) = findings(*[0.5] * 57, 0.9)
    assert (one.name, one.level) == ("alike", "bad")
    assert one.text.startswith("label mood: 98% of 58 labels give every class the same probability")


def test_labels_that_are_nearly_all_the_same_are_worth_a_note() -> None:
    (one,) = findings(*[0.9] * 57, 0.2)
    assert (one.name, one.level) == ("alike", "note")


@pytest.mark.parametrize("goods", [[0.5] * 5, [0.5] * 30 + [0.9] * 10, [i / 200 for i in range(200)]])
def test_labels_that_are_few_or_differ_are_not_alike(goods: list[float]) -> None:
    assert findings(*goods) == []


@pytest.mark.parametrize(
    ("n", "skill", "level"),
    [(600, 0.3, None), (600, 0.05, "bad"), (600, -0.3, "bad"), (600, float("-inf"), "bad"), (20, 0.05, "note")],
)
def test_labels_that_say_no_more_of_the_classes_than_their_frequency_are_bad(
    n: int, skill: float, level: str | None
) -> None:
    found = findings(known=Known(n, skill, 0.1))
    assert [(one.name, one.level) for one in found] == ([("skill", level)] if level else [])


def test_a_right_class_without_probability_is_said_in_words() -> None:
    (one,) = findings(known=Known(30, float("-inf"), 0.0))
    assert "inf" not in one.text and "a class that is right in one of 30 known rows has probability 0" in one.text


@pytest.mark.parametrize(("n", "level"), [(60, "bad"), (20, "note")])
def test_labels_that_end_at_the_class_prior_are_said_to_and_have_no_second_figure(n: int, level: str) -> None:
    (one,) = findings(known=Known(n, -0.02, 0.01, calibrated=True, prior_alone=True))
    assert (one.name, one.level) == ("skill", level)
    assert "says nothing of the classes, so every row gets the class frequencies" in one.text
    assert "-0.02" not in one.text


def test_the_verdict_judges_by_the_most_known_rows() -> None:
    watch = Watch(Setup(template()))
    watch.add_known("mood", Known(100, -0.5, 0.1))
    watch.add_known("mood", Known(20, 0.5, 0.1))
    assert [one.level for one in watch.verdict().findings] == ["bad"]
    watch.add_known("mood", Known(100, 0.5, 0.1))
    assert list(watch.verdict().findings) == []


@pytest.mark.parametrize(("calibrated", "first"), [(True, "give more known rows"), (False, "--calibrate GOLD,")])
def test_who_has_calibrated_is_not_sent_to_calibrate(calibrated: bool, first: str) -> None:
    (one,) = findings(known=Known(30, -0.3, 0.1, calibrated=calibrated))
    assert one.remedy.startswith(first)


def test_labels_that_no_figure_judges_are_not_called_good() -> None:
    watch = Watch(Setup(template()))
    watch.add_row({"mood": SoftLabel({"good": 0.9, "bad": 0.1}, 0.0, 0.0, None)})
    assert watch.verdict().lines() == ["verdict: none: no figure judges this output"]


def lopsided(
    good: float, mass: float | None, n: int = 30, *, prior: Prior = "none", known: Known | None = None
) -> list[Finding]:
    label = Label(name="mood", classes=("good", "bad"), prompt="?", prior=prior)
    watch = Watch(Setup(template().model_copy(update={"labels": (label,)})))
    for i in range(n):
        share = good + 0.001 * i / n
        watch.add_row({"mood": SoftLabel({"good": share, "bad": 1 - share}, 0.0, 0.0, mass)})
    if known is not None:
        watch.add_known("mood", known)
    return [one for one in watch.verdict().findings if one.name == "uneven"]


def test_uneven_predictions_with_little_mass_suggest_a_batch_prior_and_its_condition() -> None:
    (one,) = lopsided(0.9, 0.1)
    assert one.level == "note"
    assert one.text.startswith("label mood: the mean prediction is uneven (good 0.90, bad 0.10)")
    assert one.remedy.startswith("if the classes are about equally frequent in these rows: --prior batch")


def test_no_batch_prior_is_suggested_where_it_is_used_or_nothing_speaks_for_it() -> None:
    assert lopsided(0.55, 0.1) == []
    assert lopsided(0.9, 0.8) == []
    assert lopsided(0.9, None) == []
    assert lopsided(0.9, 0.1, n=10) == []
    assert lopsided(0.9, 0.1, prior="batch") == []
    assert lopsided(0.9, 0.1, known=Known(100, 0.3, 0.1)) == []
