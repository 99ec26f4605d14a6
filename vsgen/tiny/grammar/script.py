"""A text written as a script: straight code that asks, at each choice, which alternative was taken.

A script is a generator: it yields the choice that comes next, is sent the index of the alternative that was taken, and
goes on from there, so that later choices may depend on earlier ones. The same script is drawn from to make training
data, and followed token by token by the oracle.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice:
    """Alternatives, none of which begins another, and their probabilities: positive, and 1 in all."""

    texts: tuple[str, ...]
    probs: tuple[float, ...]


Script: TypeAlias = Generator[Choice, int, T]


@dataclass(frozen=True, slots=True)
class Step:
    """A choice, and which alternative was taken."""

    choice: Choice
    index: int

    @property
    def text(self) -> str:
        """The alternative that was taken."""
        return self.choice.texts[self.index]


def fixed(text: str) -> Choice:
    """Text without an alternative."""
    return Choice((text,), (1.0,))


def weighted(texts: Iterable[str], weights: Sequence[float]) -> Choice:
    """A choice from weights, which are normalised; alternatives of weight zero are left out."""
    kept = [(text, weight) for text, weight in zip(texts, weights, strict=True) if weight > 0]
    total = sum(weight for _, weight in kept)
    return Choice(tuple(text for text, _ in kept), tuple(weight / total for _, weight in kept))


def say(text: str) -> Script[None]:
    """Write fixed text."""
    yield fixed(text)


def perform(script: Script[T], rng: Random) -> tuple[tuple[Step, ...], T]:
    """Draw every choice; returns what was written and what the script returned."""
    steps: list[Step] = []
    try:
        choice = next(script)
        while True:
            reached = list(accumulate(choice.probs))
            steps.append(Step(choice, rng.choices(range(len(reached)), cum_weights=reached)[0]))
            choice = script.send(steps[-1].index)
    except StopIteration as end:
        return tuple(steps), end.value


def follow(script: Script[T], taken: Iterable[int]) -> Choice | None:
    """The choice that comes after those that were taken; None where the text ends."""
    try:
        choice = next(script)
        for index in taken:
            choice = script.send(index)
    except StopIteration:
        return None
    return choice


def joined(script: Script[T]) -> Script[T]:
    """The same text with neighbouring fixed pieces as one, so that it is tokenised as it will be read."""
    said = ""
    try:
        choice = next(script)
        while True:
            if len(choice.texts) == 1:
                said, index = said + choice.texts[0], 0
            else:
                if said:
                    yield fixed(said)
                said, index = "", (yield choice)
            choice = script.send(index)
    except StopIteration as end:
        if said:
            yield fixed(said)
        return end.value  # type: ignore[no-any-return]
