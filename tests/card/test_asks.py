"""What a card asks is asked in a run's own words; on the oracle the answers are known."""

from __future__ import annotations

import math
from typing import TypeVar

import pytest

from tests.engine.inline import moved, queues_of
from vsgen.backends.table import TableModel
from vsgen.card.asks import bare, draw, own
from vsgen.card.tasks import CLOSED, Task
from vsgen.flow import Flow
from vsgen.ports import LanguageModel
from vsgen.tiny.oracle import Oracle
from vsgen.values import Score, Scores

R = TypeVar("R")
DAY = CLOSED[0]


def value(model: LanguageModel, flow: Flow[R]) -> R:
    (found,) = moved([flow], queues_of(model))
    return found


def test_all_bare_answers_of_the_truth_are_right() -> None:
    assert value(Oracle(), bare(DAY)) == pytest.approx(1, abs=1e-6)


def test_the_probability_of_a_right_bare_answer_is_that_of_all_replies_that_are_right() -> None:
    model = TableModel.random(3, symbols="ab", length=3)
    task = Task("letters", "Say a or b.", ("a", "bb", "abab"))
    asked = []

    class Listening:
        name = "listening"

        def generate(self, calls: object) -> object:
            raise AssertionError("nothing is drawn")

        def score(self, calls: list[Score]) -> object:
            asked.extend(calls)
            return model.score(calls)

    found = value(Listening(), bare(task))  # type: ignore[arg-type]
    every = {model.spell(tokens): math.exp(logp) for tokens, logp in model.enumerate(asked[0].prompt)}
    assert found == pytest.approx(every["a"] + every["bb"])
    assert "Say a or b." in asked[0].prompt.messages[-1].content


def test_own_log_probabilities_leave_out_what_cannot_be_scored() -> None:
    found = value(Oracle(), own(DAY, ["Monday", "Monday", "Tuesday"]))
    assert list(found) == ["Monday", "Tuesday"]
    assert all(-10 < logp < 0 for logp in found.values())


def test_a_draw_has_the_answers_and_the_tokens_of_its_reply() -> None:
    made = value(Oracle(), draw(DAY, {"k": 3}, 0, None))
    assert len(made.distribution.candidates) == 3
    assert all(DAY.holds(str(one.fields["text"])) for one in made.distribution.candidates)
    assert made.tokens > 10
    assert value(Oracle(), draw(DAY, {"k": 3}, 0, None)) == made


def test_a_worked_exchange_stands_before_the_bare_question_where_one_is_wanted() -> None:
    asked: list[Score] = []

    class Listening:
        name = "listening"

        def generate(self, calls: object) -> object:
            raise AssertionError("nothing is drawn")

        def score(self, calls: list[Score]) -> list[Scores]:
            asked.extend(calls)
            return [Scores(tuple(-2.0 for _ in call.choices)) for call in calls]

    for exchanges in (0, 1):
        value(Listening(), bare(DAY, exchanges=exchanges))  # type: ignore[arg-type]
    alone, after = (call.prompt.messages for call in asked)
    assert after[-1] == alone[-1]
    assert len(after) > len(alone) + 1
    assert [message.role for message in after[-3:]] == ["user", "assistant", "user"]
