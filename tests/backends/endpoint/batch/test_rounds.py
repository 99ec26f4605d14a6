"""A dialog of several requests over several runs says what it says at once, whatever goes wrong in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.backends.endpoint.dialogs import ok, talk
from tests.backends.endpoint.toy import Toy
from vsgen.backends.endpoint.batch.lines import Came, Lost
from vsgen.backends.endpoint.batch.names import ATTEMPTS, Name
from vsgen.backends.endpoint.batch.results import Found
from vsgen.backends.endpoint.batch.rounds import Round, Waits, played
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.http import Request
from vsgen.backends.endpoint.wire import Abilities, Said
from vsgen.values import Message, Prompt, Refused, Score

KEY = "ab" * 16
CALL = Score(Prompt((Message("user", "Which"),)), ("billing", "shipping", "other"))
STEPS = Abilities(top_logprobs=20, logprobs=True, prefill=True)
LINES = Abilities(prompt_logprobs=True)


@dataclass
class Batches:
    """Answers one request a run."""

    can: Abilities
    answer: Callable[[Request, Name], Came]
    come: dict[str, Found] = field(default_factory=dict)
    asked: list[Name] = field(default_factory=list)

    def play(self) -> Round:
        return played(Chat().dialog(CALL, "m", self.can), KEY, lambda name: self.come.get(name.digest))

    def to_the_end(self) -> Said:
        for _ in range(100):
            end = self.play().end
            if isinstance(end, Said):
                return end
            self.asked.append(end.name)
            self.come[end.name.digest] = Found(end.name.attempt, self.answer(end.request, end.name))
        raise AssertionError("it never ends")


@pytest.mark.parametrize("can", [STEPS, LINES])
def test_a_dialog_of_many_steps_ends_as_it_does_at_once(can: Abilities) -> None:
    toy = Toy()
    batches = Batches(can, lambda request, _: toy(request))
    said = batches.to_the_end()
    assert said == talk(Chat().dialog(CALL, "m", can), Toy())
    assert len(batches.asked) == len(set(batches.asked)) == len(toy.requests) > 1
    assert [name.step for name in batches.asked] == list(range(1, len(batches.asked) + 1))


@pytest.mark.parametrize(
    ("first", "attempt"),
    [
        (ok(b"<html>"), 2),
        (ok({"error": {"message": "overloaded"}}), 2),
        (ok({}, 500), 2),
        (ok({}, 429), 1),
        (ok({}, 503), 1),
        (ok({}, 401), 1),
        (Lost("slow"), 2),
        (Lost("expired", blamed=False), 1),
    ],
)
def test_what_can_be_asked_again_is_with_its_attempts_counted(first: Came, attempt: int) -> None:
    toy = Toy()
    batches = Batches(STEPS, lambda request, _: first if len(batches.asked) == 1 else toy(request))
    said = batches.to_the_end()
    assert said == talk(Chat().dialog(CALL, "m", STEPS), Toy())
    assert batches.asked[1] == batches.asked[0]._replace(attempt=attempt)


def test_a_request_that_never_has_a_usable_reply_is_given_up() -> None:
    batches = Batches(STEPS, lambda request, _: ok(b"<html>"))
    answer = batches.to_the_end().answer
    assert isinstance(answer, Refused)
    assert f"{ATTEMPTS} batches" in answer.problem
    assert len(batches.asked) == ATTEMPTS


def test_a_request_that_is_only_ever_sent_away_is_never_given_up() -> None:
    batches = Batches(STEPS, lambda request, _: Lost("expired", blamed=False))
    with pytest.raises(AssertionError, match="never ends"):
        batches.to_the_end()


def test_results_of_another_request_of_the_same_call_are_not_taken() -> None:
    toy = Toy()
    batches = Batches(STEPS, lambda request, _: toy(request))
    batches.to_the_end()
    come = batches.come
    assert isinstance(Batches(LINES, batches.answer, come).play().end, Waits)
