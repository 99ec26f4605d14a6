"""The language of flows: straight code for one prompt, with no batching, no torch and no network in it.

A flow is a generator that yields the calls it needs, is sent their replies in the same order, and returns a value.
The engine moves many flows at once; a test moves one by hand with ``next(flow)`` and ``flow.send(replies)``.
Every ``yield`` of the package that means "wait" is in this file.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypeVar, overload

from vsgen.errors import CallError
from vsgen.values import (
    Call,
    Check,
    Checked,
    Completion,
    Directed,
    Embed,
    Generate,
    Prompt,
    Reply,
    Score,
    Scores,
    Taught,
    Teach,
    Vector,
)

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class InOrder:
    """Yielded in place of calls: go on only when every earlier flow is past its own `InOrder` or has returned."""


Flow: TypeAlias = Generator[Sequence[Call] | InOrder, Sequence[Reply], R]


@overload
def ask_all(calls: Sequence[Generate]) -> Flow[Sequence[Completion]]: ...
@overload
def ask_all(calls: Sequence[Score]) -> Flow[Sequence[Scores]]: ...
@overload
def ask_all(calls: Sequence[Teach]) -> Flow[Sequence[Taught]]: ...
@overload
def ask_all(calls: Sequence[Embed]) -> Flow[Sequence[Vector]]: ...
@overload
def ask_all(calls: Sequence[Check]) -> Flow[Sequence[Checked]]: ...
def ask_all(calls: Sequence[Call]) -> Flow[Sequence[Reply]]:
    """Ask several calls at once; returns their replies in the same order."""
    return (yield calls) if calls else ()


@overload
def ask(call: Generate) -> Flow[Completion]: ...
@overload
def ask(call: Score) -> Flow[Scores]: ...
@overload
def ask(call: Teach) -> Flow[Taught]: ...
@overload
def ask(call: Embed) -> Flow[Vector]: ...
@overload
def ask(call: Check) -> Flow[Checked]: ...
def ask(call: Call) -> Flow[Reply]:
    """Ask one call; returns its reply."""
    (reply,) = yield (call,)
    return reply


@dataclass(slots=True)
class Spent:
    """What a flow has asked of a language model."""

    calls: int = 0
    tokens: int = 0
    """Tokens drawn in all replies."""
    first: Prompt | None = None
    """What was asked first."""


def metered(flow: Flow[R], spent: Spent) -> Flow[R]:
    """Move a flow as it is, and count the `Generate` calls that were answered and their tokens."""
    try:
        wait = next(flow)
        while True:
            if spent.first is None and not isinstance(wait, InOrder):
                spent.first = next((call.prompt for call in wait if isinstance(call, Generate)), None)
            try:
                replies = yield wait
            except CallError as error:
                wait = flow.throw(error)
                continue
            drawn = [reply for reply in replies if isinstance(reply, Completion)]
            spent.calls += len(drawn)
            spent.tokens += sum(len(reply.tokens) for reply in drawn)
            wait = flow.send(replies)
    except StopIteration as stop:
        value: R = stop.value
        return value


class Heard(NamedTuple):
    """One call of a flow, and what came of it."""

    call: Call
    """The plain call, even if it was directed."""
    reply: Reply | CallError
    judge: str | None = None
    """The model that it was directed to; None is the run's own."""


def overheard(flow: Flow[R], heard: list[Heard]) -> Flow[R]:
    """Move a flow as it is, and note every call with its reply, in the order in which the flow asked."""
    try:
        wait = next(flow)
        while True:
            calls = () if isinstance(wait, InOrder) else wait
            try:
                replies = yield wait
            except CallError as error:
                heard += [_heard(call, error) for call in calls]
                wait = flow.throw(error)
                continue
            heard += map(_heard, calls, replies)
            wait = flow.send(replies)
    except StopIteration as stop:
        value: R = stop.value
        return value


def directed(flow: Flow[R], model: str) -> Flow[R]:
    """Move a flow as it is, but ask another model whatever a language model is asked."""
    try:
        wait = next(flow)
        while True:
            try:
                replies = yield wait if isinstance(wait, InOrder) else [_directed(call, model) for call in wait]
            except CallError as error:
                wait = flow.throw(error)
                continue
            wait = flow.send(replies)
    except StopIteration as stop:
        value: R = stop.value
        return value


def _heard(call: Call, reply: Reply | CallError) -> Heard:
    return Heard(call.call, reply, call.model) if isinstance(call, Directed) else Heard(call, reply)


def _directed(call: Call, model: str) -> Call:
    return Directed(model, call) if isinstance(call, Generate | Score) else call


def in_order() -> Flow[None]:
    """Wait for one's turn: what follows, up to the next wait, runs in the order in which the flows were started."""
    yield InOrder()


def together(flows: Sequence[Flow[R]]) -> Flow[Sequence[R]]:
    """Move several flows side by side, their calls joined; returns their values in the same order.

    The flows go in lockstep: each round's calls are asked at once. A flow in it may not wait for its turn.
    """
    values: dict[int, R] = {}
    asked = {i: calls for i, flow in enumerate(flows) if (calls := _start(flow, i, values)) is not None}
    while asked:
        replies = iter((yield [call for calls in asked.values() for call in calls]))
        shares = {i: [next(replies) for _ in calls] for i, calls in asked.items()}
        asked = {i: calls for i, share in shares.items() if (calls := _send(flows[i], i, share, values)) is not None}
    return [values[i] for i in range(len(flows))]


def _start(flow: Flow[R], i: int, values: dict[int, R]) -> Sequence[Call] | None:
    try:
        return _calls(next(flow))
    except StopIteration as stop:
        values[i] = stop.value
        return None


def _send(flow: Flow[R], i: int, replies: Sequence[Reply], values: dict[int, R]) -> Sequence[Call] | None:
    try:
        return _calls(flow.send(replies))
    except StopIteration as stop:
        values[i] = stop.value
        return None


def _calls(wait: Sequence[Call] | InOrder) -> Sequence[Call]:
    if isinstance(wait, InOrder):
        raise TypeError("a flow inside `together` may not wait for its turn")
    return wait
