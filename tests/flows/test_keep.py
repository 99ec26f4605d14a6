"""What keep decides: in which order clauses are put, what is paid for them, and what a reject says."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vsgen.flow import play
from vsgen.flows.keep import Keeper, Kept, Tried
from vsgen.flows.label import Labeller, Text
from vsgen.template.schema import Template
from vsgen.values import Candidate, Score, Scores, SoftLabel

LABELS = [
    {"name": "mood", "classes": ["good", "bad"], "prompt": "Mood of {{ text }}?"},
    {"name": "quality", "kind": "ordinal", "classes": ["1", "2"], "prompt": "Quality of {{ text }}?"},
]
GOOD = {"apple": 0.9, "bean": 0.2, "corn": 0.6}
"""P(the first class) of each text, whatever is asked."""


def template(*keep: str) -> Template:
    asked = {"version": 1, "name": "t", "prompt": "hi", "logp": True, "labels": LABELS}
    return Template.model_validate({**asked, "keep": list(keep)})


def sift(made: Template, *texts: str, voted: SoftLabel | None = None) -> tuple[Kept, list[str]]:
    """Decide on answers; returns also what was asked."""
    keeper = Keeper(made, Labeller(made, ["text"], seed=0))
    candidates = {i: Candidate({"text": text}, 1 / len(texts), 0.5) for i, text in enumerate(texts)}
    flow = keeper.sift(candidates, {i: Text(text, text, {"text": text}) for i, text in enumerate(texts)}, voted)
    asked: list[str] = []

    def answers(calls: Sequence[object]) -> list[Scores]:
        asked.extend(_line(call) for call in calls)
        return _answers(calls)

    return play(flow, answers), asked


def _line(call: object) -> str:
    assert isinstance(call, Score)
    return call.prompt.messages[-1].content.split("\n")[0]


def _answers(calls: Sequence[object]) -> list[Scores]:
    first = [GOOD[_line(call).split(" of ")[1].rstrip("?")] for call in calls]
    return [Scores((math.log(p), math.log(1 - p))) for p in first]


def test_without_clauses_all_are_kept_and_nothing_is_asked() -> None:
    found, asked = sift(template(), "apple", "bean")
    assert (found.rejections, asked, found.tried) == ({}, [], [])


def test_a_label_is_paid_for_only_where_all_cheaper_clauses_hold() -> None:
    made = template("labels.mood.probs.good > 0.5", "labels.quality.mean < 1.2", "'p' not in text or text != 'pea'")
    found, asked = sift(made, "apple", "bean", "corn")
    assert asked == [
        *("Mood of apple?", "Mood of bean?", "Mood of corn?"),
        *("Quality of apple?", "Quality of corn?"),
    ]
    assert {i: one.clause for i, one in found.rejections.items()} == {
        1: "labels.mood.probs.good > 0.5",
        2: "labels.quality.mean < 1.2",
    }
    assert {i: sorted(labels) for i, labels in found.labels.items()} == {
        0: ["mood", "quality"],
        1: ["mood"],
        2: ["mood", "quality"],
    }
    assert found.tried == [
        Tried("'p' not in text or text != 'pea'", 3, 3),
        Tried("labels.mood.probs.good > 0.5", 3, 2),
        Tried("labels.quality.mean < 1.2", 2, 1),
    ]


def test_a_clause_that_reads_no_label_spares_all_of_them() -> None:
    found, asked = sift(template("labels.mood.margin > 0", "text == 'apple'"), "apple", "bean")
    assert asked == ["Mood of apple?"]
    assert found.rejections[1].clause == "text == 'apple'"


def test_labels_are_made_once_however_many_clauses_read_them() -> None:
    _, asked = sift(template("labels.mood.margin > 0", "labels.mood.entropy < 1", "labels|length == 2"), "apple")
    assert asked == ["Mood of apple?", "Quality of apple?"]


def test_what_cannot_be_evaluated_refuses_that_answer_alone_and_says_why() -> None:
    found, _ = sift(template("labels.mood.probs[text] > 0 or text == 'bean'", "logp > -3 or text == 'x'"), "apple")
    assert found.rejections[0].reason == "keep"
    assert found.rejections[0].clause == "logp > -3 or text == 'x'"
    assert found.rejections[0].detail.startswith("cannot be evaluated: '>' not supported")
    assert found.tried == [Tried("logp > -3 or text == 'x'", 1, 0, 1), Tried(made_text(), 0, 0, 0)]


def made_text() -> str:
    return "labels.mood.probs[text] > 0 or text == 'bean'"


def test_the_draws_vote_is_a_label_that_costs_nothing() -> None:
    made = Template.model_validate(
        {"version": 1, "name": "t", "prompt": "hi", "output": {"answer": "(a)"}, "keep": "labels.answer.margin > 0.2"}
    )
    for margin, kept in [(0.5, 1), (0.1, 0)]:
        found, asked = sift(made, "apple", voted=SoftLabel({"a": 0.75, "b": 0.25}, 0.5, margin, 1.0))
        assert not asked and len(found.rejections) == 1 - kept


def test_how_clauses_fared_adds_up_and_is_told_in_words() -> None:
    total = Tried("a", 3, 1, 1).added(Tried("a", 1, 1))
    assert total == Tried("a", 4, 2, 1)
    assert str(total) == "keep: a: holds for 2 of 4 (50%), 1 of them could not be evaluated"
    assert str(Tried("a")) == "keep: a: was never put"
