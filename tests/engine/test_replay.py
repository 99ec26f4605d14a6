"""A call that was answered once is never asked again."""

from __future__ import annotations

from pathlib import Path

from vsgen.engine.executors import Batched
from vsgen.engine.replay import Replay
from vsgen.files.journal import FileJournal
from vsgen.values import Call, Completion, Generate, Prompt, Reply


def generate(seed: int) -> Generate:
    return Generate(Prompt(prefill="x"), seed=seed)


class Counting:
    def __init__(self, journal: FileJournal) -> None:
        self.asked: list[Call] = []
        self.executor = Replay(Batched[Generate](self._answer, 8), journal, "model")

    def _answer(self, calls: object) -> list[Reply]:
        assert isinstance(calls, list)
        self.asked += calls
        return [Completion(f"reply to {call.seed}") for call in calls]

    def texts(self, seeds: list[int]) -> dict[int, str]:
        for ticket, seed in enumerate(seeds):
            self.executor.submit(ticket, generate(seed))
        found: dict[int, str] = {}
        while replies := self.executor.collect():
            found |= {ticket: reply.text for ticket, reply in replies if isinstance(reply, Completion)}
        return found


def test_known_calls_are_answered_from_the_journal(tmp_path: Path) -> None:
    with FileJournal(tmp_path / "j") as journal:
        assert Counting(journal).texts([1, 2]) == {0: "reply to 1", 1: "reply to 2"}
    with FileJournal(tmp_path / "j") as journal:
        again = Counting(journal)
        assert again.texts([2, 3, 1]) == {0: "reply to 2", 1: "reply to 3", 2: "reply to 1"}
        assert again.asked == [generate(3)]
        assert len(journal) == 3


def test_the_same_call_asked_twice_at_once_is_paid_once(tmp_path: Path) -> None:
    with FileJournal(tmp_path / "j") as journal:
        counting = Counting(journal)
        assert counting.texts([5, 5, 5]) == dict.fromkeys(range(3), "reply to 5")
        assert counting.asked == [generate(5)]


def test_a_reply_is_in_the_journal_before_anyone_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with FileJournal(path) as journal:
        counting = Counting(journal)
        counting.executor.submit(0, generate(9))
        counting.executor.collect()
        assert b"reply to 9" in path.read_bytes()
