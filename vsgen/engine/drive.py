"""The engine: moves many flows at once and hands out their values in the order in which they were started.

It is single-threaded. The oldest unfinished flow decides which executor works next, because it holds back the output;
whatever else waits for that executor goes along in the same batch. A call that an executor refuses with a `CallError`
raises it inside the flow that asked, which may go on without the reply; the other flows do not notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from vsgen.errors import CallError
from vsgen.flow import Flow, InOrder
from vsgen.ports import Executor
from vsgen.values import Call, Reply

R = TypeVar("R")


def drive(
    flows: Iterable[Flow[R]], executors: Mapping[type[Call], Executor], *, window: Callable[[], int]
) -> Iterator[R]:
    """Run flows to their ends; yields their values in input order.

    Args:
        flows: Pulled one by one, as room comes free.
        executors: Who answers each kind of call.
        window: How many flows may be started and not yet handed out; asked again whenever one could start. Once it is
            0 and nothing is under way, the engine stops.
    """
    engine = _Engine(iter(flows), executors)
    while True:
        yield from engine.ready()
        started = engine.start(window)
        if not engine.idle:
            engine.work()
        elif not started:
            return


@dataclass(slots=True)
class _Task(Generic[R]):
    number: int
    flow: Flow[R]
    replies: list[Reply | None] = field(default_factory=list)
    missing: int = 0
    calls: Sequence[Call] = ()
    gates: int = 0
    at_gate: bool = False


class _Engine(Generic[R]):
    def __init__(self, flows: Iterator[Flow[R]], executors: Mapping[type[Call], Executor]) -> None:
        self._flows = flows
        self._executors = executors
        self._started = 0
        self._handed_out = 0
        self._tasks: dict[int, _Task[R]] = {}
        self._values: dict[int, R] = {}
        self._waiting: dict[int, tuple[_Task[R], int]] = {}
        self._tickets = 0
        self._turns: dict[int, int] = {}

    @property
    def idle(self) -> bool:
        return not self._tasks

    def start(self, window: Callable[[], int]) -> bool:
        """Start flows as far as the window allows; says whether it started any."""
        before = self._started
        while self._started - self._handed_out < window() and (flow := next(self._flows, None)) is not None:
            task = _Task(self._started, flow)
            self._started += 1
            self._tasks[task.number] = task
            self._advance(task, None)
        return self._started > before

    def ready(self) -> Iterator[R]:
        """Hand out what is finished, in order."""
        while self._handed_out in self._values:
            self._handed_out += 1
            yield self._values.pop(self._handed_out - 1)

    def work(self) -> None:
        """Let the executor that the oldest task waits for answer something."""
        oldest = self._tasks[next(iter(self._tasks))]
        waits_on = type(oldest.calls[oldest.replies.index(None)])
        for ticket, reply in self._executors[waits_on].collect():
            if ticket not in self._waiting:  # of a flow that went on without it, after an error
                continue
            task, place = self._waiting.pop(ticket)
            if isinstance(reply, CallError):
                self._refuse(task, reply)
                continue
            task.replies[place] = reply
            task.missing -= 1
            if not task.missing:
                self._advance(task, task.replies)  # type: ignore[arg-type]  # none is missing now

    def _advance(self, task: _Task[R], replies: Sequence[Reply] | None) -> None:
        """Move a task, and those whose turn this makes it, to their next waits."""
        self._step(task, partial(next, task.flow) if replies is None else partial(task.flow.send, replies))

    def _step(self, task: _Task[R], step: Callable[[], Sequence[Call] | InOrder]) -> None:
        self._move(task, step)
        while (task_in_turn := self._in_turn()) is not None:
            task_in_turn.at_gate = False
            self._turns[task_in_turn.gates] = task_in_turn.number + 1
            task_in_turn.gates += 1
            self._move(task_in_turn, partial(task_in_turn.flow.send, ()))

    def _move(self, task: _Task[R], step: Callable[[], Sequence[Call] | InOrder]) -> None:
        try:
            wait = step()
        except StopIteration as stop:
            self._values[task.number] = stop.value
            del self._tasks[task.number]
            return
        if isinstance(wait, InOrder):
            task.at_gate = True
        else:
            self._submit(task, wait)

    def _submit(self, task: _Task[R], calls: Sequence[Call]) -> None:
        task.replies = [None] * len(calls)
        task.missing = len(calls)
        task.calls = calls
        try:
            for place, call in enumerate(calls):
                self._tickets += 1
                self._waiting[self._tickets] = (task, place)
                self._executors[type(call)].submit(self._tickets, call)
        except CallError as error:
            self._forget(task)
            self._move(task, partial(task.flow.throw, error))

    def _refuse(self, task: _Task[R], error: CallError) -> None:
        """Tell a flow that one of its calls has no answer; it goes on without all that it asked at once."""
        self._forget(task)
        self._step(task, partial(task.flow.throw, error))

    def _forget(self, task: _Task[R]) -> None:
        for ticket in [ticket for ticket, (waiting, _) in self._waiting.items() if waiting is task]:
            del self._waiting[ticket]

    def _in_turn(self) -> _Task[R] | None:
        """The task that stands at a gate which all earlier tasks have passed, if there is one."""
        oldest = next(iter(self._tasks), self._started)
        for gate in [*self._turns, len(self._turns)]:
            turn = max(self._turns.get(gate, 0), oldest)
            while turn < self._started and turn not in self._tasks:
                turn += 1
            task = self._tasks.get(turn)
            if task is not None and task.at_gate and task.gates == gate:
                return task
        return None
