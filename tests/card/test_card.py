"""The figures of a card are those of what was drawn, and its advice follows from them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vsgen.card.asks import Drawn
from vsgen.card.card import Card, Lists, Wording
from vsgen.card.tasks import CLASSES, CLOSED, OPEN, SENTENCES, Task
from vsgen.values import Candidate, Distribution, Malformed, SoftLabel, Unlabelled

DAY, REVIEW = CLOSED[0], OPEN[0]


def drawn(task: Task, texts: Sequence[str], stated: float = 0.2) -> Drawn:
    answers = tuple(Candidate({"text": text}, 1 / len(texts), stated) for text in texts)
    return Drawn(task, Distribution("verbalized", answers), 40)


def lost(task: Task) -> Drawn:
    return Drawn(task, Distribution("verbalized", (), (Malformed("hm", 1.0, "the reply is empty"),)), 7)


def lists(*each: Drawn, name: str = "json", **sampling: object) -> Lists:
    return Lists(name, sampling, each, 2.0)


def label(name: str, mass: float = 0.9) -> SoftLabel:
    return SoftLabel({one: 0.8 if one == name else 0.1 for one in CLASSES}, 0.6, 0.7, mass)


def card(*each: Lists, ranks: float | None = 0.6, wordings: Sequence[Wording] = ()) -> Card:
    return Card("toy", None, {"alone": {"day": 0.5}}, each, ranks, 30, wordings)


def test_right_answers_are_counted_of_all_that_were_asked_for() -> None:
    one = lists(drawn(DAY, ["monday", " Tuesday ", "Mon", "Friday", "noon"]), lost(DAY), drawn(REVIEW, ["Monday"]))
    assert (one.read.count, one.read.of) == (2, 3)
    assert (one.first.count, one.first.of) == (1, 2)
    assert (one.valid.count, one.valid.of) == (3, 10)
    assert one.tokens == 87
    assert one.sums == [pytest.approx(1.0), pytest.approx(0.2)]


def test_the_answers_of_the_built_in_tasks_are_different_and_hold() -> None:
    for task in CLOSED:
        assert len(set(task.answers)) == len(task.answers) >= 7
        assert all(task.holds(answer.upper()) for answer in task.answers)
        assert not task.holds("banana")
    assert [sum(right == name for _, right in SENTENCES) for name in CLASSES] == [4, 4, 4]


def test_the_best_way_of_asking_is_recommended() -> None:
    poor, good = lists(lost(DAY), temperature=1.0), lists(drawn(DAY, list(DAY.answers[:5])), temperature=0.7)
    advice = card(poor, good).advice()
    assert advice == ["sampling: {temperature: 0.7}"]


def test_a_model_that_answers_nothing_is_not_recommended_a_setting_alone() -> None:
    advice = card(lists(lost(DAY))).advice()
    assert any("larger model" in line for line in advice)


@pytest.mark.parametrize(("ranks", "stated"), [(0.05, 0.2), (None, 0.2), (0.9, 0.5)])
def test_probabilities_that_mean_nothing_are_said(ranks: float | None, stated: float) -> None:
    one = lists(drawn(DAY, list(DAY.answers[:5]), stated))
    assert any(line.startswith("probability: ") for line in card(one, ranks=ranks).advice())


def test_labels_are_recommended_only_where_they_beat_chance() -> None:
    fine = lists(drawn(DAY, list(DAY.answers[:5])))
    right = Wording("class names", [label(name) for _, name in SENTENCES])
    guess = Wording("letters", [label("positive") for _ in SENTENCES])
    assert card(fine, wordings=[guess, right]).advice()[-1] == "labels: class names, 12 of 12 sentences right"
    listed = Wording("letters", right.labels, "--set verbalizer=letters")
    assert card(fine, wordings=[listed]).advice()[-1].startswith("labels: letters (--set verbalizer=letters), 12 of 12")
    assert "no wording is clearly better than chance" in card(fine, wordings=[guess]).advice()[-1]


def test_a_sentence_that_could_not_be_labelled_is_wrong_and_has_no_mass() -> None:
    one = Wording("class names", [Unlabelled("no"), *[label(name, 0.5) for _, name in SENTENCES[1:]]])
    assert (one.right.count, one.right.of) == (11, 12)
    assert one.mass == 0.5
    assert Wording("none", [Unlabelled("no")] * len(SENTENCES)).mass is None


def test_classes_in_other_spellings_are_compared_by_their_place() -> None:
    spelled = SoftLabel({"Positive": 0.1, "Neutral": 0.1, "Negative": 0.8}, 0.6, 0.7, 0.9)
    one = Wording("capitals", [spelled] * len(SENTENCES))
    assert one.right.count == 4
