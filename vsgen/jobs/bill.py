"""What the calls of a command took and cost: those that it paid, and those whose replies the journal had."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from vsgen.engine.replay import Tally
from vsgen.sections.prices import Prices
from vsgen.values import Usage


@dataclass(frozen=True, slots=True)
class Item:
    """Of one process, or of those before it."""

    usage: Usage = field(default_factory=Usage)
    usd: float | None = 0.0
    """None where the price of a model behind an endpoint is not known."""

    @classmethod
    def of(cls, tally: Tally, prices: Mapping[str, Prices], counted: Collection[str]) -> Item:
        """What calls took of the models that count, and what that cost."""
        usages = {name: usage for name, usage in [*tally.usage.items()] if name in counted}
        known = all(name in prices for name in usages)
        usd = math.fsum(prices[name].usd(usage) for name, usage in usages.items()) if known else None
        return cls(sum(usages.values(), Usage()), usd)

    def summary(self) -> dict[str, object]:
        """For machines: what docs/summary.md describes."""
        usage = self.usage
        return {
            "cost": _rounded(self.usd),
            "prompt_tokens": usage.prompt,
            "cached_tokens": usage.cached,
            "reply_tokens": usage.drawn,
            "hidden_tokens": usage.hidden,
            "estimated_tokens": usage.estimated,
        }


@dataclass(frozen=True, slots=True)
class Bill:
    """Of one output: what all commands that worked on it paid, each reply once."""

    now: Item = field(default_factory=Item)
    """Paid by this process: unfinished draws, failed attempts and refused replies included."""
    earlier: Item = field(default_factory=Item)
    """Of the replies that this process took from the journal."""

    @property
    def usage(self) -> Usage:
        """All tokens."""
        return self.now.usage + self.earlier.usage

    @property
    def usd(self) -> float | None:
        """All that was paid, USD; None where that is not known."""
        if self.now.usd is None or self.earlier.usd is None:
            return None
        return self.now.usd + self.earlier.usd

    @property
    def cost(self) -> float | None:
        """The same without the noise of its last digits."""
        return _rounded(self.usd)

    def summary(self) -> dict[str, object]:
        """For machines: what docs/summary.md describes."""
        return {"now": self.now.summary(), "earlier": self.earlier.summary()}


class Billing:
    """Makes the bill of a command, at any moment and in any thread."""

    def __init__(self, paid: Tally, recalled: Tally) -> None:
        """Set up.

        Args:
            paid: What the command pays.
            recalled: What the journal answers.
        """
        self._paid = paid
        self._recalled = recalled
        self.prices: Mapping[str, Prices] = {}
        """Of models, by the names under which they are tallied. Models in this process that have none are free."""

    def bill(self) -> Bill | None:
        """What was paid so far; None where nothing costs anything: no price is known, and no server is asked."""
        served, prices = [*self._paid.served, *self._recalled.served], self.prices
        if not served and not prices:
            return None
        counted = {*served, *prices}
        return Bill(Item.of(self._paid, prices, counted), Item.of(self._recalled, prices, counted))


def _rounded(usd: float | None) -> float | None:
    return None if usd is None else round(usd, 9)
