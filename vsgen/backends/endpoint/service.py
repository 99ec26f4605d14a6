"""A model behind a URL, and calls like those that it will be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from vsgen.backends.endpoint.server import Server
from vsgen.backends.endpoint.settings import Target
from vsgen.values import Call


class Sample(NamedTuple):
    """A call like those that a model will be asked."""

    part: str
    """What asks it, for messages."""
    call: Call
    needed: bool = True
    """Without it the command is of no use."""


@dataclass(frozen=True, slots=True)
class Service:
    """A model behind a URL, and what it will be asked."""

    server: Server
    model: str
    """As the server names it."""
    samples: Sequence[Sample] = ()
    """Of the calls; what the server can do for other calls is not tried."""
    embeds: bool = False
    named: str = "-m"
    """What names the model, for messages."""

    @property
    def target(self) -> Target:
        """Whom to ask."""
        server = self.server
        return replace(server.embedder(self.model) if self.embeds else server.target(self.model), named=self.named)
