"""A worker answers every call from a thread of its own, serves the oldest first, and ends when it is told to."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from vsgen.engine.drive import drive
from vsgen.engine.mailbox import Mailbox
from vsgen.engine.queues import Batched
from vsgen.engine.source import Flows
from vsgen.engine.worker import Worker
from vsgen.errors import ModelError, OptionError
from vsgen.flow import Flow, ask
from vsgen.ports import Queue, Ticket
from vsgen.values import Answer, Call, Completion, Generate, Prompt, Reply, Score, Scores

WAIT = 20.0
"""Seconds within which a machine, however busy, does a step that takes none."""


def generate(seed: int) -> Generate:
    return Generate(Prompt(prefill="x"), seed=seed)


def score(choice: str) -> Score:
    return Score(Prompt(prefill="x"), (choice,))


class Noting:
    """A queue that answers `size` of its oldest calls in a step, and notes them in a list that queues share."""

    def __init__(self, steps: list[list[Ticket]], size: int, before: Callable[[], object] = lambda: None) -> None:
        self._steps = steps
        self._size = size
        self._before = before
        self._waiting: list[Ticket] = []

    def submit(self, ticket: Ticket, call: Call) -> None:
        self._waiting.append(ticket)

    def work(self) -> Sequence[tuple[Ticket, Answer]]:
        self._before()
        self._waiting.sort()
        done, self._waiting = self._waiting[: self._size], self._waiting[self._size :]
        self._steps.append(done)
        return [(ticket, Completion(str(ticket.flow))) for ticket in done]


class Busy:
    """A queue that never comes to an end, in Python or in a wait outside of it."""

    def __init__(self, step: Callable[[], object]) -> None:
        self.began = threading.Event()
        self._step = step

    def submit(self, ticket: Ticket, call: Call) -> None: ...

    def work(self) -> Sequence[tuple[Ticket, Answer]]:
        self.began.set()
        while True:
            self._step()


def working(queue: Queue, mailbox: Mailbox, **more: Callable[[], None]) -> Worker:
    return Worker({Generate: queue}, mailbox, name="device", capacity=8, **more)


def collected(mailbox: Mailbox, count: int) -> list[tuple[Ticket, Answer]]:
    found: list[tuple[Ticket, Answer]] = []
    while len(found) < count:
        letters = mailbox.wait(WAIT)
        assert letters, "an answer did not come"
        found += letters
    return found


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("vsgen")]


def test_every_call_is_answered_and_nothing_begins_before_it_is_handed_in() -> None:
    mailbox, asked = Mailbox(), []

    def answer(calls: Sequence[Generate]) -> list[Reply]:
        asked.append(len(calls))
        return [Completion(str(call.seed)) for call in calls]

    worker = working(Batched[Generate](answer, 4), mailbox)
    for seed in range(6):
        worker.submit(Ticket(seed, seed), generate(seed))
    assert worker.room() == 2
    assert mailbox.wait(0) == []
    worker.flush()
    found = collected(mailbox, 6)
    assert worker.room() == 8
    worker.close(cancel=False)
    assert sorted(found) == [(Ticket(seed, seed), Completion(str(seed))) for seed in range(6)]
    assert asked == [4, 2]


def test_the_queue_that_the_oldest_ticket_stands_in_does_the_next_step() -> None:
    mailbox, steps, go = Mailbox(), list[list[Ticket]](), threading.Event()
    queues: dict[type[Call], Queue] = {
        Generate: Noting(steps, 2, lambda: go.wait(WAIT)),
        Score: Noting(steps, 9),
    }
    worker = Worker(queues, mailbox, name="device", capacity=8)
    for flow in (0, 1, 2, 5):
        worker.submit(Ticket(flow, flow), generate(flow))
    worker.flush()
    for flow in (3, 4, 6):
        worker.submit(Ticket(flow, flow), score("a"))
    worker.flush()
    go.set()
    collected(mailbox, 7)
    worker.close(cancel=False)
    assert [[ticket.flow for ticket in step] for step in steps] == [[0, 1], [2, 5], [3, 4, 6]]


def test_what_was_handed_in_is_finished_where_it_is_not_given_up() -> None:
    mailbox = Mailbox()
    worker = working(Batched[Generate](lambda calls: [Completion("") for _ in calls], 1), mailbox)
    for seed in range(50):
        worker.submit(Ticket(seed, seed), generate(seed))
    worker.flush()
    worker.close(cancel=False)
    assert len(mailbox.wait(0)) == 50


def test_a_step_in_python_is_broken_off_when_all_is_given_up() -> None:
    mailbox, queue = Mailbox(), Busy(lambda: sum(range(50)))
    worker = working(queue, mailbox)
    worker.submit(Ticket(0, 0), generate(0))
    worker.flush()
    assert queue.began.wait(WAIT)
    worker.close(cancel=True)
    assert mailbox.wait(0) == []


def test_a_thread_that_a_step_starts_is_not_broken_off_in_its_place() -> None:
    """As libraries do that open a model: such a thread died before its first line, and was waited for for ever."""

    def begin_threads() -> None:
        other = threading.Thread(target=lambda: None, name="of a step")
        other.start()
        other.join()
        sum(range(5_000))

    for _ in range(5):
        busy = Busy(begin_threads)
        worker = working(busy, Mailbox())
        worker.submit(Ticket(0, 0), generate(0))
        worker.flush()
        assert busy.began.wait(WAIT)
        closing = threading.Thread(target=worker.close, kwargs={"cancel": True}, daemon=True)
        closing.start()
        closing.join(WAIT)
        assert not closing.is_alive()


def test_a_step_that_waits_outside_of_python_is_ended_by_its_owner() -> None:
    mailbox, ended = Mailbox(), threading.Event()
    queue = Busy(lambda: ended.wait())
    worker = working(queue, mailbox, interrupt=ended.set)
    worker.submit(Ticket(0, 0), generate(0))
    worker.flush()
    assert queue.began.wait(WAIT)
    worker.close(cancel=True)


def test_closing_twice_or_what_never_began_does_nothing() -> None:
    worker = working(Batched[Generate](lambda _: (), 1), Mailbox())
    worker.close(cancel=True)
    worker.close(cancel=False)


@pytest.mark.parametrize(
    ("raised", "kind", "message"),
    [
        (ZeroDivisionError("no way"), ModelError, "device: ZeroDivisionError: no way"),
        (SystemExit(3), ModelError, "device: SystemExit: 3"),
        (OptionError("no such thing"), OptionError, "no such thing"),
    ],
)
def test_what_a_device_raises_is_raised_in_the_engines_thread_as_an_error_of_the_tree(
    raised: BaseException, kind: type[Exception], message: str
) -> None:
    def answer(_: Sequence[Generate]) -> list[Reply]:
        raise raised

    def flow() -> Flow[None]:
        yield from ask(generate(0))

    mailbox = Mailbox()
    worker = working(Batched[Generate](answer, 4), mailbox)
    with pytest.raises(kind, match=f"^{message}$"):
        list(drive(Flows([flow()]), {Generate: worker}, mailbox))
    worker.close(cancel=True)


def test_a_kind_of_call_that_the_device_does_not_know_is_an_error_and_no_hang() -> None:
    mailbox = Mailbox()
    worker = working(Batched[Generate](lambda _: (), 4), mailbox)
    worker.submit(Ticket(0, 0), score("a"))
    worker.flush()
    with pytest.raises(ModelError, match="device: KeyError"):
        mailbox.wait(WAIT)
    worker.close(cancel=True)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_any_number_of_workers_gives_the_same_values(workers: int) -> None:
    mailbox = Mailbox()
    kinds: list[type[Call]] = [Generate, Score]

    def drawn(calls: Sequence[Generate]) -> list[Reply]:
        time.sleep(0.001 * (calls[0].seed % 3))
        return [Completion(str(call.seed)) for call in calls]

    def scored(calls: Sequence[Score]) -> list[Reply]:
        return [Scores((float(len(call.choices[0])),)) for call in calls]

    queues: dict[type[Call], Queue] = {Generate: Batched[Generate](drawn, 3), Score: Batched[Score](scored, 2)}
    shares = [kinds] if workers == 1 else [[kind] for kind in kinds]
    each = [Worker({kind: queues[kind] for kind in share}, mailbox, name="w", capacity=workers) for share in shares]
    executors = {kind: worker for worker, share in zip(each, shares, strict=True) for kind in share}

    def flow(number: int) -> Flow[tuple[str, float]]:
        reply = yield from ask(generate(number))
        scores = yield from ask(score("x" * number))
        return reply.text, scores.logp[0]

    values = list(drive(Flows(flow(number) for number in range(40)), executors, mailbox))
    for worker in each:
        worker.close(cancel=True)
    assert values == [(str(number), float(number)) for number in range(40)]


PROGRAM = """
import sys, time
from vsgen.engine.mailbox import Mailbox
from vsgen.engine.worker import Worker
from vsgen.ports import Ticket
from vsgen.values import Generate, Prompt

class Busy:
    def submit(self, ticket, call): pass
    def work(self):
        print("busy", flush=True)
        while True:
            sum(range(50))

worker = Worker({Generate: Busy()}, Mailbox(), name="m", capacity=1)
worker.submit(Ticket(0, 0), Generate(Prompt(), seed=0))
worker.flush()
"""


def test_an_interpreter_ends_also_where_nobody_closed_a_worker() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "busy\n", "")
