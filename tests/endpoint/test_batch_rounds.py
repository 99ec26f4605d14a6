"""A run by batch files has the replies of a run over HTTP, each of them once, whatever becomes of the files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.endpoint.batch_service import Spoil, answered, lossy, requests, shuffled
from tests.endpoint.plan import Plan
from tests.endpoint.server import serving
from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.batch.executor import BatchExecutor, Tally
from vsgen.backends.endpoint.batch.kept import Shelf
from vsgen.backends.endpoint.batch.results import Results
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.settings import Settings, Target
from vsgen.backends.endpoint.transport import Transport
from vsgen.backends.endpoint.wire import Abilities
from vsgen.engine.drive import drive
from vsgen.engine.mailbox import Mailbox
from vsgen.engine.replay import Replay
from vsgen.engine.source import Flows
from vsgen.files.journal import FileJournal
from vsgen.files.numbered import Numbered
from vsgen.flow import Flow, try_all
from vsgen.jobs.batch_files import Outbox
from vsgen.values import Answer, Generate, Message, Prompt, Score

CALLS = 30
"""Flows, each of which asks a reply and then what is to be thought of it."""


def flow(number: int) -> Flow[list[Answer]]:
    (reply,) = yield from try_all([Generate(Prompt((Message("user", f"Question {number}"),)), seed=number)])
    asked = Prompt((Message("user", f"Is {getattr(reply, 'text', reply)} good?"),))
    more = yield from try_all([Generate(asked, seed=number), Generate(asked, seed=number)])
    return [reply, *more]


class Batched:
    """A run in rounds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tally = Tally()

    def round(self, ingest: list[Path], unfinished: int = 4096) -> tuple[list[Any], list[Path]]:
        """The values so far, and the files that were written."""
        with ExitStack() as stack:
            journal = stack.enter_context(FileJournal(self.folder / "journal"))
            results = stack.enter_context(Results(ingest)) if ingest else None
            files = stack.enter_context(Numbered(self.folder / "calls.jsonl", overwrite=False))
            mailbox, outbox, self.tally = Mailbox(), Outbox(files), Tally()
            replay = Replay(journal, mailbox)
            target = Target(read_address("http://127.0.0.1:1/v1"), None, Chat(), "echo", Abilities(seed=True))
            inner = BatchExecutor(
                target,
                lambda call: journal.key("m", call),
                mailbox,
                Shelf(results, journal),
                self.tally,
                outbox=outbox,
            )
            asked = replay.executor("m", inner)

            def forget() -> None:
                replay.forget()
                inner.forget()

            values = list(
                drive(
                    Flows(flow(number) for number in range(CALLS)),
                    {Generate: asked, Score: asked},
                    replay,
                    unfinished=unfinished,
                    stalled=lambda: not replay.known and replay.under_way == inner.held,
                    forget=forget,
                )
            )
            return values, [one.path for one in outbox.place()]


def by_rounds(folder: Path, spoil: Callable[[int], Spoil]) -> tuple[list[Any], int]:
    """All values, and how many rounds they took."""
    batched, ingest = Batched(folder), list[Path]()
    with serving(Plan()) as server:
        for number in range(1, 30):
            values, files = batched.round(ingest)
            if not files:
                return values, number
            ingest = [answered(one, server.url, folder / f"{one.name}.out", spoil(number)) for one in files]
    raise AssertionError("it never ends")


def over_http(folder: Path) -> list[Any]:
    with serving(Plan()) as server:
        mailbox = Mailbox()
        target = Target(read_address(server.url), None, Chat(), "echo", Abilities(seed=True))
        executor = Transport(Settings(), Random(0)).executor(target, mailbox)
        try:
            return list(drive(Flows(flow(number) for number in range(CALLS)), {Generate: executor}, mailbox))
        finally:
            executor.close(cancel=True)


def test_replies_are_those_of_a_run_over_http_after_a_round_for_each_turn(tmp_path: Path) -> None:
    values, rounds = by_rounds(tmp_path, shuffled)
    assert values == over_http(tmp_path)
    assert rounds == 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_losses_doubles_and_errors_cost_rounds_and_no_reply(tmp_path: Path, seed: int) -> None:
    values, rounds = by_rounds(tmp_path, lambda number: lossy(100 * seed + number))
    assert values == over_http(tmp_path)
    assert rounds > 3


def test_a_round_writes_what_is_not_answered_and_nothing_else(tmp_path: Path) -> None:
    batched = Batched(tmp_path)
    with serving(Plan()) as server:
        _, (calls,) = batched.round([])
        assert len(list(requests(calls))) == CALLS
        out = answered(calls, server.url, tmp_path / "out", lambda results: results[: CALLS // 2])
        _, (more,) = batched.round([out])
    assert more.name == "calls.2.jsonl"
    asked = list(requests(more))
    lost = {name for name, _, _ in requests(calls)} & {name for name, _, _ in asked}
    assert len(lost) == CALLS - CALLS // 2
    assert len(asked) == len(lost) + CALLS // 2  # equal calls of a flow are one


def test_results_are_in_the_journal_once_they_were_read(tmp_path: Path) -> None:
    batched = Batched(tmp_path)
    with serving(Plan()) as server:
        _, (calls,) = batched.round([])
        out = answered(calls, server.url, tmp_path / "out")
        _, (second,) = batched.round([out])
        _, (again,) = batched.round([])
    assert second.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("unfinished", [1, 7])
def test_a_round_holds_all_requests_however_few_flows_may_be_under_way(tmp_path: Path, unfinished: int) -> None:
    few, all_ = Batched(tmp_path / "few"), Batched(tmp_path / "all")
    for one in (few, all_):
        one.folder.mkdir()
    _, (calls,) = few.round([], unfinished)
    _, (whole,) = all_.round([])
    assert calls.read_bytes() == whole.read_bytes()
