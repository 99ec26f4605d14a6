"""Ways of asking for the same thing, and which of them are never trained on.

A pattern such as ``[Name|Pick] a random {thing}[.|, please.]`` stands for all its combinations. One combination in
eight is held out of training by its checksum, and some patterns are held out whole; evaluation asks in those.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import product
from random import Random
from typing import Literal, TypeAlias

Split: TypeAlias = Literal["shipped", "train", "combined", "new"]
"""The shipped template's words; the trained ones; new combinations of trained words; patterns never seen."""

FILLERS = (
    "I am [making|writing|planning|building|preparing] a [quiz|game|book|report|lesson|film|poster|party|survey].",
    "We [need|want|collect] this for [a test|our school|the office|a data set|my sister|the museum|a friend].",
    "You are [a helpful assistant|an expert|a writer|a clerk|a good friend|a customer|a robot].",
    "[Be brief.|Be creative.|Take your time.|Do not explain.|No introduction.|Answer in English.|Thank "
    "you!|Hello.|Hi there!]",
    "[Notes|Context|Keywords|Background]: [river|candle|orbit|velvet|engine|harbour] "
    "[and|or|with] [window|pepper|thunder|ladder|cotton|signal].",
    "[It is|Today is] [a rainy day|my birthday|late|a holiday|cold outside|the first of May].",
    "My [boss|teacher|neighbour|brother|doctor] [asked for it|told me to ask|wants to know|is waiting].",
)
"""Sentences around a request that mean nothing; a trained reader learns to pass over what it does not need."""

_OPTIONS = re.compile(r"\[([^\]]*)\]")
_ARTICLE = re.compile(r"\ba \{(?:product|animal)\}")
_SHIPPED_SHARE = 0.25
_FILLED_SHARE = 0.25


def held(text: str) -> bool:
    """Whether a text is held out of training: one in eight, by its checksum.

    Keys that read alike once they are filled, such as ``a {animal}`` and ``{article}``, count as the same.
    """
    return zlib.crc32(_ARTICLE.sub("{article}", text).encode()) % 8 == 0


@dataclass(frozen=True)
class Wordings:
    """Ways of asking."""

    shipped: str
    """The words of the shipped template, without options."""
    patterns: tuple[str, ...]
    """All equally likely in training, whatever the number of their combinations."""
    new: tuple[str, ...] = field(default=())
    """Patterns that are never trained on."""

    @cached_property
    def _combinations(self) -> list[list[str]]:
        return [[one for one in expand(pattern) if one != self.shipped] for pattern in self.patterns]

    @cached_property
    def _trained(self) -> list[list[str]]:
        return [[one for one in ones if not held(one)] for ones in self._combinations]

    @cached_property
    def _held(self) -> list[str]:
        return [one for ones in self._combinations for one in ones if held(one)]

    def all(self) -> Iterator[str]:
        """Every way of asking, those held out included."""
        yield self.shipped
        for ones in self._combinations:
            yield from ones
        for pattern in self.new:
            yield from expand(pattern)

    def draw(self, rng: Random, split: Split) -> str:
        """One way of asking; training mixes the shipped words with all others."""
        match split:
            case "combined":
                return rng.choice(self._held)
            case "new":
                return rng.choice([one for pattern in self.new for one in expand(pattern)])
            case "train" if rng.random() > _SHIPPED_SHARE:
                return _filled(rng.choice(rng.choice(self._trained)), rng)
            case _:
                return self.shipped


def _filled(text: str, rng: Random) -> str:
    """A way of asking, sometimes with sentences around it that mean nothing."""
    if rng.random() > _FILLED_SHARE:
        return text
    filler = rng.choice(rng.choice(fillers()))
    return f"{filler} {text}" if rng.random() < 0.7 or "{text}" in text else f"{text} {filler}"


@cache
def fillers() -> tuple[tuple[str, ...], ...]:
    """All sentences that mean nothing, by pattern."""
    return tuple(tuple(expand(pattern)) for pattern in FILLERS)


def expand(pattern: str) -> Iterator[str]:
    """All combinations of a pattern's options."""
    parts = _OPTIONS.split(pattern)
    for taken in product(*([part] if i % 2 == 0 else part.split("|") for i, part in enumerate(parts))):
        yield "".join(taken)


def fill(pattern: str, keys: Mapping[str, str]) -> str:
    """Put the request's keys into a way of asking; other braces are text."""
    for name, text in keys.items():
        pattern = pattern.replace(f"{{{name}}}", text)
    return pattern
