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
from vsgen.values import Answer, Message, Prompt, Refused, Score, Scores

CALL = Score(Prompt((Message("user", "Which"),)), ("billing", "shipping", "other"))
CAN = Abilities(prompt_logprobs=True)


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

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tally = Tally()

    def round(self, lines: Sequence[bytes]) -> Answer | Waits:
        (self.folder / "results").write_bytes(b"".join(lines))
        target = Target(read_address("http://127.0.0.1:1"), None, Chat(), "m", CAN)
        mailbox, waiting, self.tally = Mailbox(), Waiting(), Tally()
        with FileJournal(self.folder / "journal") as journal:
            results = Results([self.folder / "results"]) if lines else None
            shelf = Shelf(results, journal)
            executor = BatchExecutor(target, lambda _: "ab" * 16, mailbox, shelf, self.tally, outbox=waiting)
            executor.submit(Ticket(0, 0), CALL)
            if results is not None:
                results.__exit__(None, None, None)
        if waiting.waits:
            assert executor.held == self.tally.written == 1
            return waiting.waits[0]
        ((_, answer),) = mailbox.wait(0)
        return answer


def test_a_dialog_goes_on_though_each_round_has_the_newest_results_alone(tmp_path: Path) -> None:
    run, toy = Run(tmp_path), Toy()
    end, rounds = run.round([]), 1
    while isinstance(end, Waits):
        end, rounds = run.round([line(end.name, toy(end.request))]), rounds + 1
    assert isinstance(end, Scores)
    assert end == talk(Chat().dialog(CALL, "m", CAN), Toy()).answer
    assert rounds == len(toy.requests) + 1 == 5
    assert end.usage is not None
    assert end.usage.total > 0


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
    assert run.round([]) == refused
    assert (run.tally.answered, run.tally.refused) == (1, 1)


def test_what_has_passed_is_no_attempt_and_says_why(tmp_path: Path) -> None:
    run = Run(tmp_path)
    asked = run.round([])
    assert isinstance(asked, Waits)
    again = run.round([line(asked.name, ok({"error": {"message": "slow down"}}, 429))])
    assert isinstance(again, Waits)
    assert again.name == asked.name
    ((why, count),) = run.tally.again.items()
    assert ("slow down" in why, count) == (True, 1)
