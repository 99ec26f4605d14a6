"""What a command will take, estimated before anything is asked: calls, tokens and cost, part by part.

What a part takes at most bounds what can be spent: replies as long as they may be, all answers repaired as often as
allowed, and prompts a quarter longer than estimated.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vsgen.sections.prices import Prices
from vsgen.template.warnings.warning import Use
from vsgen.values import Message, Prompt, Usage

if TYPE_CHECKING:
    from vsgen.backends.chat.spell import Speller

THOUGHT: Final = 150
"""Tokens that are taken for a reasoning."""
TURN: Final = 4
"""Tokens around a message."""
MARGIN: Final = 1.25
"""How many times longer prompts may be than estimated."""


def prompt_tokens(prompt: Prompt, use: Use) -> int:
    """About how many tokens a prompt has, those around its messages included."""
    if use.prompts is not None:
        return use.prompts(prompt)
    turns = sum(use.tokens(one.content) + TURN for one in prompt.messages)
    cue = 0 if prompt.opened else use.tokens(prompt.cue)
    return turns + use.tokens(prompt.prefill) + cue + TURN


def counting(reader: Speller, use: Use) -> Use:
    """The same use, with tokens counted as a model reads them."""
    probe = Prompt((Message("user", "-"),))
    return replace(
        use,
        tokens=lambda text: len(reader.spell(probe, [text])[1][0]),
        prompts=lambda prompt: len(reader.spell(prompt, ["-"])[0]),
    )


@dataclass(frozen=True, slots=True)
class Load:
    """Calls of a language model, and the tokens of their prompts and replies."""

    calls: float = 0
    prompt: float = 0
    reply: float = 0

    def __add__(self, other: Load) -> Load:
        """Both."""
        return Load(self.calls + other.calls, self.prompt + other.prompt, self.reply + other.reply)

    def times(self, count: float) -> Load:
        """So many of them."""
        return Load(self.calls * count, self.prompt * count, self.reply * count)

    def usd(self, prices: Prices | None) -> float | None:
        """What it costs; None without prices."""
        return None if prices is None else prices.usd(Usage(math.ceil(self.prompt), math.ceil(self.reply)))


@dataclass(frozen=True, slots=True)
class Part:
    """What one kind of calls takes: answers, their scores, or one label."""

    name: str
    model: str
    """As it was asked for."""
    expected: Load
    """If all answers are valid and new."""
    most: Load
    prices: Prices | None = None

    def times(self, count: float) -> Part:
        """So many of them."""
        return Part(self.name, self.model, self.expected.times(count), self.most.times(count), self.prices)


@dataclass(frozen=True, slots=True)
class Plan:
    """An estimate for all rows, or for one unit where their number is not known."""

    noun: str
    """What a unit is: draws, input rows."""
    units: int | None
    """At least; None where the number is not known, so that the parts are those of one unit."""
    rows: int | None
    """That are wanted."""
    parts: tuple[Part, ...]
    scope: str = ""
    """What the units are made of, where they are not all of one kind."""

    @property
    def expected(self) -> Load:
        """All parts together."""
        return sum((part.expected for part in self.parts), Load())

    @property
    def most(self) -> Load:
        """All parts together, at most."""
        return sum((part.most for part in self.parts), Load())

    @property
    def usd(self) -> float | None:
        """The expected cost of the parts that have prices; None where none has."""
        return _sum(part.expected.usd(part.prices) for part in self.parts)

    @property
    def most_usd(self) -> float | None:
        """The same, at most."""
        return _sum(part.most.usd(part.prices) for part in self.parts)


def _sum(each: Iterable[float | None]) -> float | None:
    known = [usd for usd in each if usd is not None]
    return math.fsum(known) if known else None
