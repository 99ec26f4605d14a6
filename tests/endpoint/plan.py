"""What the server of the fault suite does wrong, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Literal, TypeAlias

Trouble: TypeAlias = Literal[
    "429",
    "429-after",
    "429-date",
    "500",
    "503",
    "reset",
    "hang",
    "drip",
    "garbage",
    "type",
    "error-200",
    "cut",
    "huge",
    "gzip",
    "bomb",
    "length",
    "filtered",
    "echo-key",
    "redirect",
    "401",
    "400",
    "404",
    "deep",
    "surrogate",
]
"""Rate limits without and with Retry-After (seconds, a date); a server's own errors; a connection reset or left to
hang; a reply byte by byte; half of its JSON; a page of HTML; an error with status 200; a body that breaks off; 9 MB; a
reply compressed unasked, and one that unfolds to 64 MB; a reply cut by the token limit, and one that a filter emptied;
the request's headers as the reply; a redirect to `Plan.elsewhere`; a key refused; a request blamed; an unknown
model; JSON that is 10,000 levels deep; half of a pair of surrogates."""
ANSWERED: frozenset[Trouble] = frozenset({"drip", "gzip", "length", "filtered", "echo-key"})
"""Troubles that leave a reply that can be used."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What comes when."""

    script: tuple[Trouble | None, ...] = ()
    """What happens to the first requests, in their order; None answers."""
    shares: Mapping[Trouble, float] = field(default_factory=dict)
    """How often each happens to all others."""
    latency: float = 0.0
    """Seconds before a reply."""
    stragglers: tuple[float, float] = (0.0, 0.0)
    """The share of requests that take longer, whatever they ask, and by how many seconds."""
    after: int = 1
    """Seconds of Retry-After."""
    elsewhere: str = "http://127.0.0.2:9/v1/chat/completions"
    """Where a redirect leads."""
    together: int | None = None
    """More requests at once get a 429."""
    key: str | None = None
    """Requests without it get a 401."""
    dead: tuple[float, float] | None = None
    """Seconds after the first request at which the server goes away, and for how long."""
    model: str | None = None
    """Who writes the replies; None repeats a digest of what was asked, and decides nothing (501)."""
    forms: tuple[str, ...] = ("systemone", "decisions")
    """The decision interfaces that there are."""
    refused: str | None = None
    """Questions that contain this are refused by decision interfaces, each by itself."""
    processed: bool = False
    """It states the log-probabilities that tokens were drawn with; see `tests.endpoint.own_model`."""
    expires: int | None = None
    """Requests after which every further one gets a 401."""
    text: str | None = None
    """What every reply says, in place of the digest."""
    words: str = "It went wrong"
    """What errors say."""
    seed: int = 0

    def delay(self, number: int) -> float:
        """Seconds before the reply to a request, by its number from 0."""
        share, seconds = self.stragglers
        slow = share and Random(f"{self.seed} slow {number}").random() < share
        return self.latency + (seconds if slow else 0.0)

    def trouble(self, number: int) -> Trouble | None:
        """What happens to a request, by its number from 0."""
        if number < len(self.script):
            return self.script[number]
        draw = Random(f"{self.seed} {number}").random()
        for trouble, share in self.shares.items():
            draw -= share
            if draw < 0:
                return trouble
        return None
