"""The engine's own cost per call, with a model that answers at once: gathering, ordering, journal, parsing."""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vsgen.engine.drive import drive
from vsgen.engine.mailbox import Mailbox
from vsgen.engine.queues import Batched
from vsgen.engine.replay import Replay
from vsgen.engine.source import Flows
from vsgen.engine.worker import Worker
from vsgen.files.journal import FileJournal, MemoryJournal
from vsgen.files.lines import FileLines
from vsgen.files.records import record_line
from vsgen.flow import Flow, ask
from vsgen.flows.draw import Outcome, Pipeline, Quota
from vsgen.ports import Journal, Ticket
from vsgen.template.load import load_template
from vsgen.values import Call, Completion, Generate, Models, Prompt, Row

_CALLS = 5000
_WINDOW = 128
_REPLY = json.dumps({"responses": [{"text": f"a ticket, number {i}", "probability": 0.1} for i in range(5)]})


def _answer(calls: Sequence[Generate]) -> list[Completion]:
    return [Completion(_REPLY, tuple(range(60))) for _ in calls]


def _bare(number: int) -> Flow[Completion]:
    return (yield from ask(Generate(Prompt(prefill="x"), seed=number)))


@contextmanager
def _working(mailbox: Mailbox) -> Iterator[Worker]:
    worker = Worker({Generate: Batched[Generate](_answer, 32)}, mailbox, name="m", capacity=_WINDOW)
    try:
        yield worker
    finally:
        worker.close(cancel=True)


def _drive_only() -> float:
    begun = time.process_time()
    mailbox = Mailbox()
    with _working(mailbox) as worker:
        for _ in drive(Flows(_bare(number) for number in range(_CALLS)), {Generate: worker}, mailbox):
            pass
    return time.process_time() - begun


def _hops() -> float:
    """One flow that asks one call after the other: each goes to the worker's thread and back by itself."""

    def talk() -> Flow[None]:
        for number in range(_CALLS):
            yield from ask(Generate(Prompt(prefill="x"), seed=number))

    begun = time.process_time()
    mailbox = Mailbox()
    with _working(mailbox) as worker:
        list(drive(Flows([talk()]), {Generate: worker}, mailbox))
    return time.process_time() - begun


class Loop:
    """An executor on an asyncio loop in a thread of its own, as endpoints have one; each call is a task that waits."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._new: list[tuple[Ticket, Call]] = []
        self._open = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def submit(self, ticket: Ticket, call: Call) -> None:
        """See `vsgen.ports.Executor`."""
        self._new.append((ticket, call))

    def flush(self) -> None:
        """See `vsgen.ports.Executor`."""
        if self._new:
            self._loop.call_soon_threadsafe(self._begin, self._new)
            self._new = []

    def room(self) -> int:
        """See `vsgen.ports.Executor`."""
        return _WINDOW - len(self._new) - self._open

    def close(self, *, cancel: bool) -> None:
        """See `vsgen.ports.Executor`."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _begin(self, calls: Sequence[tuple[Ticket, Call]]) -> None:
        self._open += len(calls)
        self._tasks = [self._loop.create_task(self._answer(ticket)) for ticket, _ in calls]

    async def _answer(self, ticket: Ticket) -> None:
        await asyncio.sleep(0.001)
        self._open -= 1
        self._mailbox.put(ticket, _answer([Generate(Prompt(), seed=0)])[0])


def _loop_of_asyncio() -> tuple[float, float]:
    """CPU seconds and seconds."""
    mailbox = Mailbox()
    executor = Loop(mailbox)
    begun, cpu = time.perf_counter(), time.process_time()
    for _ in drive(Flows(_bare(number) for number in range(_CALLS)), {Generate: executor}, mailbox):
        pass
    spent = time.process_time() - cpu, time.perf_counter() - begun
    executor.close(cancel=True)
    return spent


def _loop_only() -> float:
    begun = time.process_time()
    for start in range(0, _CALLS, 32):
        _answer([Generate(Prompt(prefill="x"), seed=number) for number in range(start, start + 32)])
    return time.process_time() - begun


def _whole(journal: Journal, folder: Path) -> float:
    template = load_template("support-tickets", ["dedup=false", "labels=[]"])
    pipeline = Pipeline(template, seed=0, models=Models("m"), index=None, quota=Quota(None))
    begun = time.process_time()
    mailbox = Mailbox()
    replay = Replay(journal, mailbox)
    with FileLines(folder / "out.jsonl") as lines, _working(mailbox) as worker:
        flows = Flows(pipeline.draw(Row(0), number) for number in range(_CALLS))
        outcomes: Iterator[Outcome] = drive(flows, {Generate: replay.executor("m", worker)}, replay)
        for outcome in outcomes:
            lines.write(map(record_line, outcome.records))
    return time.process_time() - begun


def main() -> None:
    """Print the table."""
    loop = _loop_only()
    engine = _drive_only()
    hops = _hops()
    cpu, wall = _loop_of_asyncio()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = _whole(MemoryJournal(), folder)
        with FileJournal(folder / "journal") as journal:
            asked = _whole(journal, folder)
            replayed = _whole(journal, folder)
    print(f"engine, CPU microseconds per call ({_CALLS} calls, 5 candidates each, a model that answers at once)")
    for what, seconds in (
        ("a plain loop over batches (the limit)", loop),
        ("engine alone: gather, order, hand out", engine),
        ("a call by itself, to a worker's thread and back", hops),
        ("with an asyncio executor, each call a task", cpu),
        ("whole pipeline: render, parse, validate, write", whole),
        ("the same with a journal on disk", asked),
        ("the same, resumed: every reply from the journal", replayed),
    ):
        print(f"  {what:50} {1e6 * seconds / _CALLS:8.0f}")
    print(f"with the asyncio executor {_CALLS / wall:,.0f} calls/s, {_CALLS / cpu:,.0f} calls/CPU-s")
