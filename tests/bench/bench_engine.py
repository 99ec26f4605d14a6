"""The engine's own cost per call, with a model that answers at once: gathering, ordering, journal, parsing."""

from __future__ import annotations

import json
import tempfile
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
from vsgen.files.records import FileLines, record_line
from vsgen.flow import Flow, ask
from vsgen.flows.draw import Outcome, Pipeline, Quota
from vsgen.ports import Journal
from vsgen.template.load import load_template
from vsgen.values import Completion, Generate, Models, Prompt, Row

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
        ("whole pipeline: render, parse, validate, write", whole),
        ("the same with a journal on disk", asked),
        ("the same, resumed: every reply from the journal", replayed),
    ):
        print(f"  {what:50} {1e6 * seconds / _CALLS:8.0f}")
