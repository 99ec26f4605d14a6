"""A server that answers for models: where it is, how it is spoken to, and who named it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from vsgen.backends.endpoint.address import Address, WireName
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.completions import Completions
from vsgen.backends.endpoint.decisions import WithDecisions
from vsgen.backends.endpoint.embeddings import Embeddings
from vsgen.backends.endpoint.keys import Key
from vsgen.backends.endpoint.messages import Messages
from vsgen.backends.endpoint.settings import Settings, Target
from vsgen.backends.endpoint.wire import Wire

_KEYED: Final = frozenset({"--endpoint", "VSGEN_ENDPOINT", "OPENAI_BASE_URL"})
"""Who may name a server so that it gets the key of the user; see `vsgen.backends.endpoint.keys.find_key`."""
_OPENAIS: Final = "OPENAI_API_KEY is sent only to api.openai.com and to the host of OPENAI_BASE_URL"
_WIRES: Final[Mapping[WireName, Callable[[], Wire]]] = {"chat": Chat, "completions": Completions, "messages": Messages}


@dataclass(frozen=True, slots=True)
class Server:
    """A server, as the user or a template names it."""

    address: Address
    key: Key | None = None
    """What it wants to see; None for a server that needs none."""
    wire: WireName | None = None
    """The API that is spoken; None for the one that the address suggests."""
    source: str = "--endpoint"
    """Who named it, for messages."""

    @property
    def flagged(self) -> bool:
        """An option or an argument names it, so that it is meant for whatever model is named."""
        return self.source.startswith("--") or self.source == "endpoint"

    def target(self, model: str) -> Target:
        """A language model there."""
        return self._target(WithDecisions(_WIRES[self.wire or self.address.wire]()), model)

    def embedder(self, model: str) -> Target:
        """An embedder there."""
        return self._target(Embeddings(), model)

    def _target(self, wire: Wire, model: str) -> Target:
        return Target(self.address, self.key, wire, model, keyless=self._keyless)

    @property
    def _keyless(self) -> str:
        """What to do where it gets no key, and wants one."""
        if self.source in _KEYED:
            return f"set VSGEN_API_KEY or give --api-key-file ({_OPENAIS})"
        if self.source == "endpoint":
            return f"set VSGEN_API_KEY, or name the file with vsgen.endpoint(URL, key_file=FILE) ({_OPENAIS})"
        base = self.address.base
        own = f"set OPENAI_BASE_URL={base} and OPENAI_API_KEY, and give --allow-endpoint {base}"
        return f"VSGEN_API_KEY is sent only to the server of --endpoint; {own}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server, and how it is treated."""

    server: Server
    settings: Settings = field(default_factory=Settings)
