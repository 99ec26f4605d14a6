"""Whom an endpoint's executor asks, and how servers are treated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from vsgen.backends.endpoint.address import ANTHROPIC, Address
from vsgen.backends.endpoint.breaker import Run
from vsgen.backends.endpoint.exchange import Patience
from vsgen.backends.endpoint.keys import Key
from vsgen.backends.endpoint.limits import Ceiling
from vsgen.backends.endpoint.wire import Abilities, Wire

_UNNAMED: Final = frozenset({"chat", "embeddings"})
"""Wires that go without saying."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long one request may take; seconds."""

    connect: float = 10.0
    """Until there is a connection."""
    silent: float = 300.0
    """Without a byte of the response; servers send none before the whole reply is made."""
    total: float = 600.0
    """Of all together."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How servers are treated."""

    ceiling: Ceiling = field(default_factory=Ceiling)
    patience: Patience = field(default_factory=Patience)
    run: Run = field(default_factory=Run)
    timeouts: Timeouts = field(default_factory=Timeouts)
    proxy: str | None = None
    """A URL; None speaks to servers directly, whatever the environment says."""
    hedge: bool = False
    """Slow requests get a second one; see `vsgen.backends.endpoint.hedging`."""


def chosen(
    *, concurrency: int, rpm: int | None, tpm: int | None, timeout: float, proxy: str | None, hedge: bool
) -> Settings:
    """How a user wants servers to be treated.

    Args:
        concurrency: Most requests at the same time; at least 1.
        rpm: Most requests a minute; None is no limit.
        tpm: Most tokens a minute, prompts included; None is no limit.
        timeout: Seconds for one reply.
        proxy: A checked URL of an HTTP proxy.
        hedge: Slow requests get a second one.
    """
    usual = Timeouts()
    return Settings(
        Ceiling(concurrency, min(concurrency, Ceiling().start), rpm, tpm),
        timeouts=Timeouts(min(usual.connect, timeout), min(usual.silent, timeout), timeout),
        proxy=proxy,
        hedge=hedge,
    )


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask."""

    address: Address
    key: Key | None
    wire: Wire
    model: str
    """As the server names it."""
    can: Abilities = field(default_factory=Abilities)
    named: str = "-m"
    """What names the model, for messages."""
    keyless: str = "set VSGEN_API_KEY or give --api-key-file"
    """What to do where no key is sent and the server wants one."""

    def about(self, status: int | None) -> str:
        """What the user should know of an error of this status: which key was sent, or what names the model."""
        match status:
            case 401 if self.key is not None:
                return f"; the key that was sent is from {self.key.source}"
            case 401:
                return f"; no key was sent: {self.keyless}"
            case 404:
                return f" ({self.named} names the model)"
            case _:
                return ""

    @property
    def name(self) -> str:
        """Names the model in rows and in the journal: with all that decides who answers, and never with a key."""
        wire = "" if self.wire.name in _UNNAMED or self.address.host == ANTHROPIC else f"/{self.wire.name}"
        return f"{self.model}@{self.address.place}{self.address.path}{wire}"
