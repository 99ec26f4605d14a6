"""The language of flows: straight code for one prompt, with no batching, no torch and no network in it.

A flow is a generator that yields what it waits for, is sent what came of it, and returns a value:

- calls are answered with as many replies, in the same order; a call without a reply is answered with why (`Refused`);
- a `Turn` is answered with one thing, what the gate says to this flow's question;
- `Together` is answered with the values of its flows, in the same order.

The engine moves many flows at once; a test moves one by hand, with ``next(flow)`` and ``flow.send(...)``, or has `play`
move it. Every ``yield`` of the package that means "wait" is in this file.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar, cast, overload

from vsgen.errors import CallError, ChoiceError, CommandError, TooLongError, VsgenError
from vsgen.values import (
    Answer,
    Call,
    Completion,
    Decide,
    Decided,
    Directed,
    Embed,
    Generate,
    Prompt,
    Refused,
    Reply,
    Score,
    Scores,
    Taught,
    Teach,
    Usage,
    Vector,
    Verified,
    Verify,
)

R = TypeVar("R")
Q = TypeVar("Q")
A = TypeVar("A")
Q_contra = TypeVar("Q_contra", contravariant=True)
A_co = TypeVar("A_co", covariant=True)


class Gate(Protocol[Q_contra, A_co]):
    """What several flows share, and may touch only in the order in which they were started."""

    def admit(self, group: Sequence[Q_contra]) -> Sequence[A_co]:
        """Answer the questions of flows that have come to it one after the other, as if each came alone."""
        ...


@dataclass(frozen=True, slots=True)
class Turn(Generic[Q, A]):
    """Yielded in place of calls: ask a gate, once every earlier flow is past its own turn or has returned."""

    gate: Gate[Q, A]
    question: Q


@dataclass(frozen=True, slots=True)
class Together(Generic[R]):
    """Yielded in place of calls: move these flows side by side, each at its own pace, until all have ended.

    They may not wait for turns. What some of them raise is raised in the flow that yielded this, once all have ended:
    the error of the first of them in order.
    """

    flows: Sequence[Flow[R]]
    replies: int | None = None
    """How many replies all their calls together make, where many calls make one; None where each call makes its own."""


Wait: TypeAlias = Sequence[Call] | Turn[Any, Any] | Together[Any]
Flow: TypeAlias = Generator[Wait, Sequence[Any], R]


@overload
def try_all(calls: Sequence[Generate]) -> Flow[Sequence[Completion | Refused]]: ...
@overload
def try_all(calls: Sequence[Score]) -> Flow[Sequence[Scores | Refused]]: ...
@overload
def try_all(calls: Sequence[Teach]) -> Flow[Sequence[Taught | Refused]]: ...
@overload
def try_all(calls: Sequence[Embed]) -> Flow[Sequence[Vector | Refused]]: ...
@overload
def try_all(calls: Sequence[Verify]) -> Flow[Sequence[Verified | Refused]]: ...
def try_all(calls: Sequence[Call]) -> Flow[Sequence[Answer]]:
    """Ask several calls at once; returns their answers in the same order, also those that are refusals."""
    return (yield calls) if calls else ()


@overload
def ask_all(calls: Sequence[Generate]) -> Flow[Sequence[Completion]]: ...
@overload
def ask_all(calls: Sequence[Score]) -> Flow[Sequence[Scores]]: ...
@overload
def ask_all(calls: Sequence[Decide]) -> Flow[Sequence[Decided]]: ...
@overload
def ask_all(calls: Sequence[Teach]) -> Flow[Sequence[Taught]]: ...
@overload
def ask_all(calls: Sequence[Embed]) -> Flow[Sequence[Vector]]: ...
@overload
def ask_all(calls: Sequence[Verify]) -> Flow[Sequence[Verified]]: ...
def ask_all(calls: Sequence[Call]) -> Flow[Sequence[Reply]]:
    """Ask several calls at once; returns their replies in the same order.

    Raises:
        CallError: A call is refused; all of them are answered by then, and the first refusal is raised.
    """
    if not calls:
        return ()
    answers: Sequence[Answer] = yield calls
    return [replied(answer) for answer in answers]


@overload
def ask(call: Generate) -> Flow[Completion]: ...
@overload
def ask(call: Score) -> Flow[Scores]: ...
@overload
def ask(call: Teach) -> Flow[Taught]: ...
@overload
def ask(call: Embed) -> Flow[Vector]: ...
@overload
def ask(call: Verify) -> Flow[Verified]: ...
def ask(call: Call) -> Flow[Reply]:
    """Ask one call; returns its reply.

    Raises:
        CallError: It is refused.
    """
    (answer,) = yield (call,)
    return replied(answer)


def in_turn(gate: Gate[Q, A], question: Q) -> Flow[A]:
    """Ask a gate in one's turn.

    What follows, up to the next wait, runs in the order in which the flows were started too.
    """
    (answer,) = yield Turn(gate, question)
    return cast(A, answer)


def together(flows: Sequence[Flow[R]], *, replies: int | None = None) -> Flow[Sequence[R]]:
    """Move several flows side by side; returns their values in the same order. They may not wait for turns.

    Args:
        flows: What to move.
        replies: How many replies all their calls together make; None where each call makes its own.
    """
    return (yield Together(flows, replies)) if flows else ()


def known(value: R) -> Flow[R]:
    """A value that is there already, as a flow that waits for nothing."""
    yield from ()
    return value


def replied(answer: Answer) -> Reply:
    """The answer as the reply that it is.

    Raises:
        CallError: It is a refusal.
    """
    if isinstance(answer, Refused):
        raise error_of(answer)
    return answer


def error_of(refused: Refused) -> CallError:
    """The error that a refusal is, for a flow that cannot go on without the reply."""
    match refused.why:
        case "too-long":
            return TooLongError(refused.problem, tokens=refused.tokens, context=refused.context)
        case "choice":
            return ChoiceError(refused.problem)
        case "command":
            return CommandError(refused.problem)
        case _:
            return CallError(refused.problem)


def refusal(error: CallError) -> Refused:
    """The value that an error of a single call becomes; `error_of` makes it an error again."""
    match error:
        case TooLongError():
            return Refused("too-long", str(error), error.tokens, error.context)
        case ChoiceError():
            return Refused("choice", str(error))
        case CommandError():
            return Refused("command", str(error))
        case _:
            return Refused("refused", str(error))


def play(flow: Flow[R], answer: Callable[[Sequence[Call]], Sequence[Answer]]) -> R:
    """Move one flow to its end, here and now: the flows of a `Together` one after the other, gates asked alone."""
    step: Callable[[], Wait] = partial(next, flow)
    while True:
        try:
            wait = step()
        except StopIteration as stop:
            value: R = stop.value
            return value
        try:
            came = _played(wait, answer)
        except VsgenError as error:
            step = partial(flow.throw, error)
        else:
            step = partial(flow.send, came)


def _played(wait: Wait, answer: Callable[[Sequence[Call]], Sequence[Answer]]) -> Sequence[Any]:
    match wait:
        case Turn():
            return wait.gate.admit([wait.question])
        case Together():
            return [play(flow, answer) for flow in wait.flows]
        case calls:
            return answer(calls)


@dataclass(slots=True)
class Spent:
    """What a flow has asked of a language model."""

    replies: int = 0
    """As budgets count them: one for each call, but for calls that make one reply together (`Together.replies`)."""
    tokens: int = 0
    """Tokens drawn in all calls."""
    scores: int = 0
    """`Score` and `Decide` calls that were answered."""
    first: Prompt | None = None
    """What was asked first."""

    def add(self, parts: Sequence[Spent], replies: int | None) -> None:
        """Add what flows have taken that went together.

        Args:
            parts: Of each of them.
            replies: That their calls made together; None where each made its own.
        """
        drawn = sum(part.replies for part in parts)
        self.replies += drawn if replies is None else min(replies, drawn)
        self.tokens += sum(part.tokens for part in parts)
        self.scores += sum(part.scores for part in parts)
        self.first = self.first or next((part.first for part in parts if part.first), None)


def metered(flow: Flow[R], spent: Spent) -> Flow[R]:
    """Move a flow as it is, and count what is answered: replies with their tokens, and scores.

    A server may draw a reply and refuse it all the same, such as one whose limit went into thoughts: it counts too.
    """
    parts: list[Spent] = []
    """What each of the flows has taken that go together."""

    def asked(wait: Wait) -> Wait:
        if isinstance(wait, Together):
            parts[:] = [Spent() for _ in wait.flows]
            flows = [metered(each, part) for each, part in zip(wait.flows, parts, strict=True)]
            return replace(wait, flows=flows)
        if spent.first is None and not isinstance(wait, Turn):
            spent.first = next((call.prompt for call in wait if isinstance(call, Generate)), None)
        return wait

    def came(wait: Wait, answers: Sequence[Any]) -> None:
        if isinstance(wait, Together):
            spent.add(parts, wait.replies)
            return
        drawn = [tokens for answer in answers if (tokens := _drawn(answer)) is not None]
        spent.replies += len(drawn)
        spent.tokens += sum(drawn)
        spent.scores += sum(isinstance(answer, Scores | Decided) for answer in answers)

    return _through(flow, asked, came)


def _drawn(answer: object) -> int | None:
    """The tokens of a drawn reply; None where nothing was drawn."""
    match answer:
        case Completion():
            return answer.drawn
        case Refused(usage=Usage(drawn=drawn)) if drawn:
            return drawn
        case _:
            return None


class Heard(NamedTuple):
    """One call of a flow, and what came of it."""

    call: Call
    """The plain call, even if it was directed."""
    reply: Answer
    judge: str | None = None
    """The model that it was directed to; None is the run's own."""


def overheard(flow: Flow[R], heard: list[Heard]) -> Flow[R]:
    """Move a flow as it is, and note every call with its answer, in the order in which the flow asked.

    Of flows that go together all that the first one asked comes first, whoever was answered sooner.
    """
    parts: list[list[Heard]] = []

    def asked(wait: Wait) -> Wait:
        if not isinstance(wait, Together):
            return wait
        parts[:] = [[] for _ in wait.flows]
        return replace(wait, flows=[overheard(each, own) for each, own in zip(wait.flows, parts, strict=True)])

    def came(wait: Wait, answers: Sequence[Any]) -> None:
        if isinstance(wait, Together):
            heard.extend(one for part in parts for one in part)
        elif not isinstance(wait, Turn):
            heard.extend(map(_heard, wait, answers))

    return _through(flow, asked, came)


def directed(flow: Flow[R], model: str) -> Flow[R]:
    """Move a flow as it is, but ask another model whatever a language model is asked."""

    def asked(wait: Wait) -> Wait:
        match wait:
            case Turn():
                return wait
            case Together():
                return replace(wait, flows=[directed(each, model) for each in wait.flows])
            case calls:
                return [_directed(call, model) for call in calls]

    return _through(flow, asked, lambda _, __: None)


def _through(flow: Flow[R], asked: Callable[[Wait], Wait], came: Callable[[Wait, Sequence[Any]], None]) -> Flow[R]:
    """Move a flow: its waits go through `asked`, and `came` sees each with what came of it, nothing after an error."""
    step: Callable[[], Wait] = partial(next, flow)
    while True:
        try:
            wait = step()
        except StopIteration as stop:
            value: R = stop.value
            return value
        try:
            answers = yield asked(wait)
        except VsgenError as error:  # only flows that went together raise
            came(wait, ())
            step = partial(flow.throw, error)
        else:
            came(wait, answers)
            step = partial(flow.send, answers)


def _heard(call: Call, answer: Answer) -> Heard:
    return Heard(call.call, answer, call.model) if isinstance(call, Directed) else Heard(call, answer)


def _directed(call: Call, model: str) -> Call:
    return Directed(model, call) if isinstance(call, Generate | Score | Decide) else call
