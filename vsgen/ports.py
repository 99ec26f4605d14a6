"""The seams of vsgen: what a model, an embedder, a sampler and an executor must offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Protocol, runtime_checkable

from vsgen.errors import CallError
from vsgen.flow import Flow
from vsgen.values import (
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


class Executor(Protocol):
    """Where calls of one kind wait and are answered, in any order."""

    def submit(self, ticket: int, call: Call) -> None:
        """Put a call in the queue; `ticket` is the caller's own number for it."""
        ...

    def collect(self) -> Sequence[tuple[int, Reply | CallError]]:
        """Work until at least one waiting call is answered, be it with an error of its own; empty if none waits."""
        ...


@runtime_checkable
class Streaming(Protocol):
    """A language model whose running batch can be joined: finished calls leave it and waiting ones enter."""

    @property
    def rows(self) -> int:
        """Replies that it draws side by side; a few more than there are cost little until they are all taken."""
        ...

    def decoder(self) -> Executor:
        """A new executor of `Generate` calls."""
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

    def find(self, key: str) -> Reply | None:
        """The reply to a call that was asked before."""
        ...

    def add(self, key: str, model: str, call: Call, reply: Reply) -> None:
        """Remember a reply; on disk, where there is one, when this returns."""
        ...

    def end(
        self,
        parts: Mapping[str, object],
        *,
        complete: bool,
        passed: bool = True,
        summary: Mapping[str, object] | None = None,
    ) -> None:
        """Remember that a run ended, and how.

        Args:
            parts: What its output was made from, by name: all that shapes it. A later run compares these with its own;
                one that was not given is None.
            complete: All that was wanted is there.
            passed: Its verdict was not bad.
            summary: Its counts.
        """
        ...

    def note(self, name: str, value: Mapping[str, object]) -> None:
        """Keep a JSON object under a name, for later runs."""
        ...

    def noted(self, name: str) -> Mapping[str, Any] | None:
        """What was last kept under a name; None if nothing was."""
        ...
