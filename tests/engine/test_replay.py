"""A call that was answered once is never asked again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from vsgen.engine.drive import drive
from vsgen.engine.mailbox import Mailbox
from vsgen.engine.replay import Replay
from vsgen.engine.source import Flows
from vsgen.files.journal import FileJournal
from vsgen.flow import Flow, ask
from vsgen.ports import Ticket
from vsgen.values import (
    Answer,
    Call,
    Completion,
    Decide,
    Decided,
    Decision,
    Generate,
    Prompt,
    Refused,
    Score,
    Scores,
    Taught,
    Teach,
    TypedQuestion,
    Usage,
)


def generate(seed: int) -> Generate:
    return Generate(Prompt(prefill="x"), seed=seed)


class Counting:
    """An executor that answers all it was asked when it is flushed; seed 13 it refuses."""

    def __init__(self, journal: FileJournal, answer: Answer | None = None) -> None:
        self._answer = answer
        self.asked: list[Call] = []
        self.flushed = 0
        self._new: list[tuple[Ticket, Call]] = []
        self._mailbox = Mailbox()
        self._replay = Replay(journal, self._mailbox)
        self.paid, self.recalled = self._replay.paid, self._replay.recalled
        self.executor = self._replay.executor("model", self)

    def submit(self, ticket: Ticket, call: Call) -> None:
        self.asked.append(call)
        self._new.append((ticket, call))

    def flush(self) -> None:
        self.flushed += len(self._new)
        for ticket, call in self._new:
            self._mailbox.put(ticket, self._answer or _reply(call))
        self._new = []

    def room(self) -> int:
        return 5

    def close(self, *, cancel: bool) -> None: ...

    def answers(self, seeds: list[int]) -> dict[int, Answer]:
        for place, seed in enumerate(seeds):
            self.executor.submit(Ticket(0, place), generate(seed))
        found: list[tuple[Ticket, Answer]] = []
        self.executor.flush()
        while letters := self._replay.wait(0):
            found += letters
            self.executor.flush()
        return {ticket.place: answer for ticket, answer in found}

    def first(self, flows: Iterable[Flow[str]]) -> str:
        """The value of the first flow, after which nobody wants another."""
        return next(drive(Flows(flows), {Generate: self.executor}, self._replay))

    def texts(self, seeds: list[int]) -> dict[int, str]:
        found = self.answers(seeds).items()
        return {place: answer.text for place, answer in found if isinstance(answer, Completion)}


def _reply(call: Call) -> Answer:
    assert isinstance(call, Generate)
    return Refused("refused", "no") if call.seed == 13 else Completion(f"reply to {call.seed}")


def test_known_calls_are_answered_from_the_journal(tmp_path: Path) -> None:
    with FileJournal(tmp_path / "j") as journal:
        assert Counting(journal).texts([1, 2]) == {0: "reply to 1", 1: "reply to 2"}
    with FileJournal(tmp_path / "j") as journal:
        again = Counting(journal)
        assert again.texts([2, 3, 1]) == {0: "reply to 2", 1: "reply to 3", 2: "reply to 1"}
        assert again.asked == [generate(3)]
        assert (again.paid.calls, again.recalled.calls) == ({"generate": 1}, {"generate": 2})
        assert len(journal) == 3


def test_the_same_call_asked_twice_at_once_is_paid_once(tmp_path: Path) -> None:
    with FileJournal(tmp_path / "j") as journal:
        counting = Counting(journal)
        assert counting.texts([5, 5, 5]) == dict.fromkeys(range(3), "reply to 5")
        assert counting.asked == [generate(5)]
        assert counting.paid.calls.total() == 1


@pytest.mark.parametrize("seeds", [[13], [13, 13]])
def test_a_refusal_reaches_all_who_asked_and_is_not_remembered(tmp_path: Path, seeds: list[int]) -> None:
    with FileJournal(tmp_path / "j") as journal:
        counting = Counting(journal)
        for _ in range(2):
            assert list(counting.answers(seeds).values()) == [Refused("refused", "no")] * len(seeds)
        assert counting.asked == [generate(13)] * 2
        assert not counting.paid.calls
        assert not len(journal)


def test_a_reply_is_in_the_journal_before_anyone_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with FileJournal(path) as journal:
        counting = Counting(journal)
        counting.executor.submit(Ticket(0, 0), generate(9))
        counting.executor.flush()
        assert b"reply to 9" not in path.read_bytes()
        assert counting._replay.wait(0)
        assert b"reply to 9" in path.read_bytes()


def test_nobody_computes_for_later_flows_while_the_journal_answers_what_is_wanted(tmp_path: Path) -> None:
    def flow(first: int) -> Flow[str]:
        texts = []
        for seed in range(first, first + 3):
            reply = yield from ask(generate(seed))
            texts.append(reply.text)
        return " ".join(texts)

    with FileJournal(tmp_path / "j") as journal:
        whole = Counting(journal).first([flow(0)])
        counting = Counting(journal)
        assert counting.first([flow(0), flow(2), flow(5)]) == whole
        assert counting.asked
        assert not counting.flushed
        assert counting.first([flow(1), flow(2)]) == "reply to 1 reply to 2 reply to 3"
        assert counting.flushed


SCORE = (Score(Prompt(prefill="x"), ("a", "b")), Scores((-1.0, -2.0), usage=Usage(9, 2)))
DECIDE = (
    Decide("x", (TypedQuestion("predicate", "Is it?"),)),
    Decided((Decision((0.25, 0.75)),), usage=Usage(9, 2)),
)


LESSON = Taught((1,), (2, 3), (-1.0, -1.0), 1, bytes(8), bytes(8), usage=Usage(9, 2))
TEACH = (Teach(Prompt(prefill="x"), "a", 1), LESSON)


@pytest.mark.parametrize(("score", "scores"), [SCORE, DECIDE, TEACH])
def test_probabilities_that_are_asked_for_again_and_again_are_paid_once(
    tmp_path: Path, score: Score | Decide | Teach, scores: Scores | Decided | Taught
) -> None:
    usage = scores.usage
    with FileJournal(tmp_path / "j") as journal:
        for paid, recalled in ((usage, None), (None, usage)):  # a first run, and one that goes on
            counting = Counting(journal, scores)
            for place in range(3):
                counting.executor.submit(Ticket(0, place), score)
                counting.executor.flush()
                counting._replay.wait(0)
            assert (counting.paid.usage.get("model"), counting.recalled.usage.get("model")) == (paid, recalled)


def test_what_a_refusal_took_is_paid(tmp_path: Path) -> None:
    with FileJournal(tmp_path / "j") as journal:
        counting = Counting(journal, Refused("refused", "the whole limit was thought", usage=Usage(5, 50, 50)))
        counting.answers([1])
        assert counting.paid.usage == {"model": Usage(5, 50, 50)} and counting.paid.served == {"model"}
        assert not counting.paid.calls


def test_what_refusals_took_is_still_known_to_a_run_that_goes_on(tmp_path: Path) -> None:
    refused = Refused("refused", "thought to its limit", usage=Usage(5, 50, 50))
    reply = Completion("x", usage=Usage(5, 1))
    with FileJournal(tmp_path / "j") as journal:
        counting = Counting(journal, refused)
        counting.answers([1, 2])
        assert counting.recalled.usage == {}
    for earlier in (Usage(10, 100, 100), Usage(15, 101, 100)):  # the second time its reply is known too
        with FileJournal(tmp_path / "j") as journal:
            counting = Counting(journal, reply)
            counting.answers([1])
            assert counting.recalled.usage == {"model": earlier} and counting.recalled.served == {"model"}


def test_a_journal_of_replies_in_this_process_has_no_note_of_usage(tmp_path: Path) -> None:
    with FileJournal(tmp_path / "j") as journal:
        Counting(journal).answers([1, 13])
    assert b"note" not in (tmp_path / "j").read_bytes()
