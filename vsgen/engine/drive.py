"""The engine: moves many flows at once and hands out their values in the order in which they were started.

It is single-threaded and waits in one place, for the mailbox. Any answer moves its own flow; nothing waits for another
flow but at a gate, which flows pass in order: all that have come to it one after the other pass as one group. So what
comes out does not depend on the order in which answers come in.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, Final, Generic, NamedTuple, TypeVar

from vsgen.errors import VsgenError
from vsgen.flow import Flow, Together, Turn, Wait
from vsgen.ports import Answers, Executor, Source, Ticket
from vsgen.values import Answer, Call

R = TypeVar("R")

_BURST: Final = 64
"""Flows that are started before the engine looks for answers again."""
_PLACES = count()
"""Unique in the process, so that an answer to a flow that was given up reaches nobody."""


def drive(
    source: Source[R],
    executors: Mapping[type[Call], Executor],
    mailbox: Answers,
    *,
    most: Callable[[], int | None] | None = None,
    unfinished: int = 4096,
    stalled: Callable[[], bool] | None = None,
    forget: Callable[[], None] = lambda: None,
) -> Generator[R]:
    """Run flows to their ends; yields their values in the order in which they were started, each as soon as it is due.

    Args:
        source: Asked for one flow after the other, while the executor that the latest one asked first has room.
        executors: Who answers each kind of call; their answers come into `mailbox`.
        mailbox: Where the engine waits.
        most: How many flows may be started and not yet handed out, by what is wanted; asked again whenever one could
            start. Once it is 0 and nothing is under way, the engine stops. None, asked or given, bounds nothing.
        unfinished: How many flows may be started and not yet handed out in any case, which bounds memory.
        stalled: Whether no answer will come any more in this process to calls that are open. Asked when nothing else
            can be done; the engine then gives up what is under way, and starts what comes after it.
        forget: Called when it has: nobody waits for those answers.

    Raises:
        VsgenError: Of a flow or of the source, once all that comes before it is handed out; nothing that comes after it
            is. Of a device that failed for good, at once.
    """
    engine = _Engine(source, executors, most, unfinished)
    try:
        while True:
            yield from engine.ready()
            started = engine.start()
            if engine.due:
                continue
            if engine.idle and not started and engine.over():
                return
            engine.flush()
            if stalled is not None and not engine.goes_on(started) and stalled():
                engine.give_up()
                forget()
                if not engine.goes_on():
                    return
                continue
            engine.take_in(mailbox.wait(0 if started == _BURST else None))
    finally:
        engine.close()


@dataclass(slots=True, eq=False)
class _Strand:
    """One flow under way, be it the source's or one of several that go together."""

    number: int
    """Of the source's flow that it belongs to."""
    flow: Flow[Any]
    parent: _Strand | None = None
    place: int = 0
    """Of its value among those that its parent waits for."""
    came: list[Any] = field(default_factory=list)
    missing: int = 0
    failed: dict[int, VsgenError] = field(default_factory=dict)
    """What flows that went together raised, by their place."""
    gates: int = 0
    """How many it has passed."""


class _Standing(NamedTuple):
    """A flow at a gate."""

    strand: _Strand
    turn: Turn[Any, Any]


@dataclass(slots=True)
class _Crossing:
    """Where flows come to and go in order."""

    next: int = 0
    """The number of the first flow that has not passed it."""
    standing: dict[int, _Standing] = field(default_factory=dict)


class _Engine(Generic[R]):
    def __init__(
        self,
        source: Source[R],
        executors: Mapping[type[Call], Executor],
        most: Callable[[], int | None] | None,
        unfinished: int,
    ) -> None:
        self._source = source
        self._executors = executors
        self._each = list({id(one): one for one in executors.values()}.values())
        self._most = most
        self._unfinished = unfinished
        self._started = 0
        self._handed_out = 0
        self._strands: dict[int, _Strand] = {}
        self._values: dict[int, R] = {}
        self._waiting: dict[int, tuple[_Strand, int]] = {}
        self._crossings: list[_Crossing] = []
        self._given_up = False
        """Flows were, so that values of later ones are never due."""
        self._end: tuple[int, VsgenError] | None = None
        """The number from which on there are no values, and why."""
        self._first_asked: Executor | None = None
        """Who was asked first by the latest flow."""
        self._starting = False

    @property
    def idle(self) -> bool:
        """Nothing is under way."""
        return not self._strands

    @property
    def due(self) -> bool:
        """The next thing to hand out is there, be it a value or an error."""
        return self._handed_out in self._values or self._failed_at(self._handed_out)

    def over(self) -> bool:
        """With nothing under way: whether nothing will come any more."""
        return self._source.ended or not self._wanted()

    def goes_on(self, started: int = 0) -> bool:
        """Whether flows will start before an answer comes.

        Args:
            started: How many were just started.
        """
        return started == _BURST or (self._may_start() and not self._source.ended)

    def ready(self) -> Iterator[R]:
        """Hand out what is finished, in order."""
        while self._handed_out in self._values:
            self._handed_out += 1
            yield self._values.pop(self._handed_out - 1)
        if self._end is not None and self._failed_at(self._handed_out):
            raise self._end[1]

    def start(self) -> int:
        """Start flows as far as there is room for them, but few at a time; returns how many."""
        before = self._started
        while self._started - before < _BURST and self._may_start() and (flow := self._take()) is not None:
            strand = self._strands[self._started] = _Strand(self._started, flow)
            self._started += 1
            self._starting = True
            self._move(strand, partial(next, flow))
            self._starting = False
        self._go_on()
        return self._started - before

    def take_in(self, letters: Sequence[tuple[Ticket, Answer]]) -> None:
        """Move the flows whose answers have come."""
        for ticket, answer in letters:
            strand, place = self._waiting.pop(ticket.place, (None, 0))
            if strand is not None and strand.number in self._strands:
                strand.came[place] = answer
                self._count(strand)
        self._go_on()

    def flush(self) -> None:
        """Let the executors begin; only once all that is due is handed out, which may be all that is wanted."""
        for executor in self._each:
            executor.flush()

    def give_up(self) -> None:
        """Give up what is under way; from there on nothing is handed out any more."""
        self.close()
        self._given_up = True
        self._values.clear()
        self._waiting.clear()
        for crossing in self._crossings:
            crossing.standing.clear()

    def close(self) -> None:
        """Give up what is under way."""
        for strand in self._strands.values():
            strand.flow.close()
        self._strands.clear()

    def _failed_at(self, number: int) -> bool:
        return self._end is not None and number >= self._end[0]

    def _wanted(self) -> bool:
        bound = self._most() if self._most else None
        return bound is None or self._started - self._handed_out < bound

    def _may_start(self) -> bool:
        if self._end is not None or len(self._strands) + len(self._values) >= self._unfinished:
            return False
        crowded = self._strands and self._first_asked is not None and self._first_asked.room() <= 0
        return not crowded and self._wanted()

    def _take(self) -> Flow[R] | None:
        try:
            return self._source.take()
        except VsgenError as error:
            self._end_at(self._started, error)
            return None

    def _go_on(self) -> None:
        """Let groups pass the gates."""
        while group := self._group():
            self._admit(group)

    def _move(self, strand: _Strand, step: Callable[[], Wait]) -> None:
        """Move a flow to its next wait, and whatever its end moves."""
        try:
            wait = step()
        except StopIteration as stop:
            self._ended(strand, stop.value)
            return
        except VsgenError as error:
            self._raised(strand, error)
            return
        if isinstance(wait, Turn):
            self._stand(strand, wait)
        elif isinstance(wait, Together):
            self._fork(strand, wait.flows)
        else:
            self._submit(strand, wait)

    def _ended(self, strand: _Strand, value: Any) -> None:
        if strand.parent is None:
            del self._strands[strand.number]
            if not self._given_up:
                self._values[strand.number] = value
        else:
            strand.parent.came[strand.place] = value
            self._count(strand.parent)

    def _raised(self, strand: _Strand, error: VsgenError) -> None:
        if strand.parent is None:
            self._end_at(strand.number, error)
        else:
            strand.parent.failed[strand.place] = error
            self._count(strand.parent)

    def _end_at(self, number: int, error: VsgenError) -> None:
        """There is no value from this number on; what comes before it is finished."""
        self._end = (number, error)
        for later in [each for each in self._strands if each >= number]:
            self._strands.pop(later).flow.close()

    def _count(self, strand: _Strand) -> None:
        """One of the things that a flow waits for has come; move it if that was the last."""
        strand.missing -= 1
        if strand.missing > 0:
            return
        if strand.failed:
            error = strand.failed[min(strand.failed)]
            strand.failed = {}
            self._move(strand, partial(strand.flow.throw, error))
        else:
            self._move(strand, partial(strand.flow.send, strand.came))

    def _submit(self, strand: _Strand, calls: Sequence[Call]) -> None:
        if not calls:
            self._move(strand, partial(strand.flow.send, ()))
            return
        strand.came = [None] * len(calls)
        strand.missing = len(calls)
        if self._starting:
            self._first_asked, self._starting = self._executors[type(calls[0])], False
        for i, call in enumerate(calls):
            place = next(_PLACES)
            self._waiting[place] = (strand, i)
            self._executors[type(call)].submit(Ticket(strand.number, place), call)

    def _fork(self, strand: _Strand, flows: Sequence[Flow[Any]]) -> None:
        strand.came = [None] * len(flows)
        strand.missing = len(flows)
        parts = [_Strand(strand.number, flow, strand, place) for place, flow in enumerate(flows)]
        for part in parts:
            self._move(part, partial(next, part.flow))
        if not parts:
            self._move(strand, partial(strand.flow.send, ()))

    def _stand(self, strand: _Strand, turn: Turn[Any, Any]) -> None:
        if strand.parent is not None:
            raise TypeError("a flow that goes together with others may not wait for its turn")
        if strand.gates == len(self._crossings):
            self._crossings.append(_Crossing())
        self._crossings[strand.gates].standing[strand.number] = _Standing(strand, turn)
        strand.gates += 1

    def _group(self) -> list[_Standing]:
        """Flows that stand at one gate one after the other, all earlier ones being past it; of the first such gate."""
        for crossing in self._crossings:
            group: list[_Standing] = []
            while crossing.next < self._started:
                if crossing.next in self._strands:
                    standing = crossing.standing.get(crossing.next)
                    if standing is None or (group and standing.turn.gate is not group[0].turn.gate):
                        break
                    group.append(crossing.standing.pop(crossing.next))
                crossing.next += 1
            if group:
                return group
        return []

    def _admit(self, group: Sequence[_Standing]) -> None:
        try:
            answers = group[0].turn.gate.admit([one.turn.question for one in group])
        except VsgenError as error:
            self._end_at(group[0].strand.number, error)
            return
        for (strand, _), answer in zip(group, answers, strict=True):
            if strand.number in self._strands:
                self._move(strand, partial(strand.flow.send, (answer,)))
