"""The seams of vsgen: what a model, an embedder, a sampler, an executor and a source must offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Literal, NamedTuple, Protocol, TypeVar, runtime_checkable

from vsgen.errors import VsgenError
from vsgen.flow import Flow
from vsgen.values import (
    Answer,
    Call,
    Completion,
    Distribution,
    Embed,
    Generate,
    ModelFacts,
    Prompt,
    Reply,
    Score,
    Scores,
    Taught,
    Teach,
    Vector,
)

R_co = TypeVar("R_co", covariant=True)


@runtime_checkable
class LanguageModel(Protocol):
    """Answers batches of calls; each reply depends on its own call only, never on the rest of the batch."""

    @property
    def name(self) -> str:
        """Names the weights; part of every call's digest in the journal."""
        ...

    def generate(self, calls: Sequence[Generate]) -> Sequence[Completion]:
        """Draw one completion per call, in the order of the calls."""
        ...

    def score(self, calls: Sequence[Score]) -> Sequence[Scores]:
        """Score all choices of each call, in the order of the calls."""
        ...


@runtime_checkable
class Teacher(Protocol):
    """A language model that can say its next-token distributions along a given answer."""

    def teach(self, calls: Sequence[Teach]) -> Sequence[Taught]:
        """The distributions of each call, in the order of the calls.

        Raises:
            CallError: A prompt with its answer does not fit into the model's context.
        """
        ...


@runtime_checkable
class Inspectable(Protocol):
    """A language model that can say what it is, and how it reads a prompt."""

    def facts(self) -> ModelFacts:
        """What it is."""
        ...

    def render(self, prompt: Prompt) -> str:
        """The prompt as it reads it: one text, with the marks of its chat template."""
        ...


@runtime_checkable
class Remarking(Protocol):
    """A model or an embedder that has something to say about what it was given to read."""

    def remarks(self) -> Sequence[str]:
        """What the user should know of the texts so far: a line each, with no end."""
        ...


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def name(self) -> str:
        """Names the weights; part of every call's digest in the journal."""
        ...

    @property
    def cut(self) -> int:
        """How many texts so far were longer than it reads."""
        ...

    def embed(self, calls: Sequence[Embed]) -> Sequence[Vector]:
        """One unit vector per call, in the order of the calls."""
        ...


class Ticket(NamedTuple):
    """Names one call of one flow; the smaller one is served first in every queue."""

    flow: int
    """The number of the flow, in the order in which flows were started."""
    place: int
    """No two calls of a process have the same."""


class Executor(Protocol):
    """Where calls are handed in; the answers come into the mailbox, in any order."""

    def submit(self, ticket: Ticket, call: Call) -> None:
        """Take a call; never blocks and never raises."""
        ...

    def flush(self) -> None:
        """Begin with what was submitted; there is no more for now."""
        ...

    def room(self) -> int:
        """How many more calls it could use now; below 1 it has enough."""
        ...

    def close(self, *, cancel: bool) -> None:
        """Finish what was submitted, or give it up; nothing of it runs any more when this returns."""
        ...


class Answers(Protocol):
    """Where the engine waits."""

    def wait(self, seconds: float | None = None) -> Sequence[tuple[Ticket, Answer]]:
        """What has been answered since; waits until there is something, or somebody wakes it.

        Args:
            seconds: At most so long; None as long as it takes.

        Raises:
            VsgenError: Whoever computes has failed for good.
        """
        ...


class Letterbox(Protocol):
    """Where whoever computes puts answers, from any thread; neither ever blocks."""

    def put_all(self, letters: Sequence[tuple[Ticket, Answer]]) -> None:
        """Answer several calls."""
        ...

    def fail(self, error: VsgenError) -> None:
        """Say that a device has failed for good."""
        ...


class Queue(Protocol):
    """Where calls of one kind wait for a device and are computed, the oldest ticket first."""

    def submit(self, ticket: Ticket, call: Call) -> None:
        """Take a call."""
        ...

    def work(self) -> Sequence[tuple[Ticket, Answer]]:
        """Do one short step of the work; returns what that finished, which may be nothing.

        Raises:
            VsgenError: The device has failed for good.
        """
        ...


@runtime_checkable
class Drawing(Protocol):
    """A queue that knows how far the replies are that it draws."""

    def drawing(self) -> Sequence[tuple[Ticket, int]]:
        """The calls that are being answered, each with the tokens that are drawn so far; may be asked in any thread."""
        ...


class Held(NamedTuple):
    """Why calls wait that are ready to be sent to a server."""

    by: Literal["outage", "rate limit", "own limit"]
    """The server does not answer; it sends requests away; or the user allows no more a minute."""
    place: str
    """The server."""
    seconds: float
    """How long the outage has lasted; of a limit, how long it will still last."""
    why: str = ""
    """Of an outage: what went wrong last."""


class Waiting(Protocol):
    """Who sends requests to servers, and may have to wait for them."""

    def held(self) -> Held | None:
        """What requests wait for; None if for replies alone. May be asked in any thread."""
        ...


class Source(Protocol[R_co]):
    """Where flows come from; never blocks."""

    def take(self) -> Flow[R_co] | None:
        """The next flow; None if there is none now, then the mailbox is woken when there is.

        Raises:
            VsgenError: What flows are made of is wrong; that ends the source.
        """
        ...

    @property
    def ended(self) -> bool:
        """No flow will come any more."""
        ...


@runtime_checkable
class Streaming(Protocol):
    """A language model whose running batch can be joined: finished calls leave it and waiting ones enter."""

    @property
    def rows(self) -> int:
        """Replies that it draws side by side; a few more than there are cost little until they are all taken."""
        ...

    def decoder(self) -> Queue:
        """A new queue of `Generate` calls."""
        ...


class Sampler(Protocol):
    """A method: how one prompt becomes a distribution of candidates."""

    def __call__(self, prompt: Prompt, rng: Random) -> Flow[Distribution]:
        """Draw once. All randomness of the draw comes from `rng`."""
        ...


class Journal(Protocol):
    """The memory of all calls and their raw replies."""

    def key(self, model: str, call: Call) -> str:
        """The digest of what is asked: model, prompt, parameters, seed."""
        ...

    def find(self, key: str, call: Call) -> Reply | None:
        """The reply to a call that was asked before, by the call's key."""
        ...

    def add(self, key: str, model: str, call: Call, reply: Reply) -> None:
        """Remember a reply; on disk, where there is one, when this returns."""
        ...

    def sync(self) -> None:
        """See to it that all that is remembered outlives a power cut, where it is kept at all."""
        ...

    def begin(self, parts: Mapping[str, object], output: str | None = None) -> None:
        """Remember that a run begins, before its first call: no earlier end speaks for what it makes.

        Args:
            parts: What its output is made from, by name, as far as that is known before the input is read.
            output: The file that it makes, seen from the journal's folder; None where it makes none.
        """
        ...

    def end(
        self,
        parts: Mapping[str, object],
        *,
        complete: bool,
        passed: bool = True,
        summary: Mapping[str, object] | None = None,
        made: Mapping[str, str | None] | None = None,
    ) -> None:
        """Remember that a run ended, and how.

        Args:
            parts: What its output was made from, by name: all that shapes it. A later run compares these with its own;
                one that was not given is None.
            complete: All that was wanted is there.
            passed: Its verdict was not bad.
            summary: Its counts.
            made: The digests of its output and of its rejects, where they are files.
        """
        ...

    def note(self, name: str, value: Mapping[str, object]) -> None:
        """Keep a JSON object under a name, for later runs."""
        ...

    def noted(self, name: str) -> Mapping[str, Any] | None:
        """What was last kept under a name; None if nothing was."""
        ...

    def keep(self, key: str, value: Mapping[str, object]) -> None:
        """Keep a JSON object under a digest that is no call's; there may be as many as there are calls."""
        ...

    def kept(self, key: str) -> Mapping[str, Any] | None:
        """What was last kept under a digest; None if nothing was."""
        ...

    @property
    def problems(self) -> Sequence[str]:
        """What of it cannot be read or trusted, in words; so far."""
        ...

    @property
    def unreadable(self) -> int:
        """Replies in it that cannot be read, so that they are asked again if they are needed; so far."""
        ...
