"""What rounds need of one another is in the journal: each is given its own results alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from tests.backends.endpoint.dialogs import ok, talk
from tests.backends.endpoint.toy import Toy
from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.batch.executor import BatchExecutor, Tally
from vsgen.backends.endpoint.batch.kept import Shelf
from vsgen.backends.endpoint.batch.names import Name
from vsgen.backends.endpoint.batch.results import Results
from vsgen.backends.endpoint.batch.rounds import Waits
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.http import Response
from vsgen.backends.endpoint.settings import Target
from vsgen.backends.endpoint.wire import Abilities
from vsgen.engine.mailbox import Mailbox
from vsgen.files.journal import FileJournal
from vsgen.ports import Ticket
from vsgen.values import Answer, Message, Prompt, Refused, Score, Scores, Usage

CALL = Score(Prompt((Message("user", "Which"),)), ("billing", "shipping", "other"))
CAN = Abilities(prompt_logprobs=True)
STEPS = Abilities(top_logprobs=20, logprobs=True, prefill=True)


class Waiting:
    """Keeps what is to be written."""

    def __init__(self) -> None:
        self.waits: list[Waits] = []

    def add(self, target: Target, waits: Waits) -> None:
        self.waits.append(waits)


def line(name: Name, response: Response) -> bytes:
    body = orjson.loads(response.body)
    response_ = {"status_code": response.status, "request_id": "r", "body": body}
    return orjson.dumps({"id": "i", "custom_id": str(name), "response": response_, "error": None}) + b"\n"


class Run:
    """One round after the other, with a journal on disk."""

    def __init__(self, folder: Path, can: Abilities = STEPS) -> None:
        self.folder = folder
        self.can = can
        self.tally = Tally()
        self.waits: list[Waits] = []
        """What was written by the latest round."""

    def round(self, lines: Sequence[bytes]) -> Answer | Waits:
        (self.folder / "results").write_bytes(b"".join(lines))
        target = Target(read_address("http://127.0.0.1:1"), None, Chat(), "m", self.can)
        mailbox, waiting, self.tally = Mailbox(), Waiting(), Tally()
        with FileJournal(self.folder / "journal") as journal:
            results = Results([self.folder / "results"]) if lines else None
            shelf = Shelf(results, journal)
            executor = BatchExecutor(target, lambda _: "ab" * 16, mailbox, shelf, self.tally, outbox=waiting)
            executor.submit(Ticket(0, 0), CALL)
            if results is not None:
                results.__exit__(None, None, None)
        self.waits = waiting.waits
        assert self.tally.written == len(self.waits)
        assert executor.held == bool(self.waits)
        if waiting.waits:
            return waiting.waits[0]
        ((_, answer),) = mailbox.wait(0)
        return answer


@pytest.mark.parametrize(("can", "rounds"), [(STEPS, 3), (CAN, 2)])
def test_a_dialog_goes_on_though_each_round_has_the_newest_results_alone(
    tmp_path: Path, can: Abilities, rounds: int
) -> None:
    run, toy, took = Run(tmp_path, can), Toy(), 1
    end = run.round([])
    while isinstance(end, Waits):
        end, took = run.round([line(one.name, toy(one.request)) for one in run.waits]), took + 1
    assert isinstance(end, Scores)
    assert end == talk(Chat().dialog(CALL, "m", can), Toy()).answer
    assert took == rounds
    assert end.usage is not None
    assert end.usage.total > 0


def test_requests_that_hang_on_nothing_are_asked_at_once_and_each_is_asked_once(tmp_path: Path) -> None:
    run, toy = Run(tmp_path, CAN), Toy()
    run.round([])
    first = run.waits
    assert [one.name.step for one in first] == [1, 2, 3, 4]
    end = run.round([line(one.name, toy(one.request)) for one in first[1:3]] + [line(first[3].name, ok({}, 500))])
    assert isinstance(end, Waits)
    assert [(one.name.step, one.name.attempt) for one in run.waits] == [(1, 1), (4, 2)]
    assert run.tally.again.total() == 1
    end = run.round([line(one.name, toy(one.request)) for one in run.waits])
    assert end == talk(Chat().dialog(CALL, "m", CAN), Toy()).answer


def test_attempts_are_counted_over_rounds_and_a_refusal_stays(tmp_path: Path) -> None:
    run = Run(tmp_path)
    end, asked = run.round([]), list[Name]()
    while isinstance(end, Waits):
        asked.append(end.name)
        lines = [line(end.name, ok({}, 500))]
        end = run.round(lines)
        assert run.round(lines) == end  # the same results again are no new attempt
    assert [name.attempt for name in asked] == [1, 2, 3]
    assert isinstance(end, Refused)
    assert run.round([]) == end


@pytest.mark.parametrize("status", [400, 413])
def test_a_refused_request_is_not_written_again(tmp_path: Path, status: int) -> None:
    run = Run(tmp_path)
    asked = run.round([])
    assert isinstance(asked, Waits)
    refused = run.round([line(asked.name, ok({"error": {"message": "too hot"}}, status))])
    assert isinstance(refused, Refused)
    assert "too hot" in refused.problem
    assert (run.tally.answered, run.tally.refused) == (1, 1)
    assert run.round([]) == refused
    assert (run.tally.answered, run.tally.refused) == (0, 0)


def test_what_has_passed_is_no_attempt_and_says_why(tmp_path: Path) -> None:
    run = Run(tmp_path)
    asked = run.round([])
    assert isinstance(asked, Waits)
    again = run.round([line(asked.name, ok({"error": {"message": "slow down"}}, 429))])
    assert isinstance(again, Waits)
    assert again.name == asked.name
    ((why, count),) = run.tally.again.items()
    assert ("slow down" in why, count) == (True, 1)


def test_what_attempts_in_vain_took_is_counted_once(tmp_path: Path) -> None:
    run, toy = Run(tmp_path, CAN), Toy()
    run.round([])
    vain = ok({"choices": [], "usage": {"prompt_tokens": 1000, "completion_tokens": 1}})
    lines = [line(one.name, vain if one.name.step in (1, 3) else toy(one.request)) for one in run.waits]
    run.round(lines)
    again = run.waits
    assert [(one.name.step, one.name.attempt) for one in again] == [(1, 2)]  # what is no reply shows in its turn
    run.round(lines)
    run.round([line(one.name, toy(one.request)) for one in again])
    assert [(one.name.step, one.name.attempt) for one in run.waits] == [(3, 2)]
    end = run.round([line(one.name, toy(one.request)) for one in run.waits])
    assert isinstance(end, Scores)
    once = talk(Chat().dialog(CALL, "m", CAN), Toy()).usage
    assert end.usage == once + Usage(2000, 2)
