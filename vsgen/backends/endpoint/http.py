"""The plain values of HTTP as far as endpoints need it: a request, its response, and why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

LARGEST: Final = 8 * 2**20
"""Bytes, the longest response that is read."""
FaultKind: TypeAlias = Literal[
    "connect", "tls", "no-tls", "timeout", "reset", "redirect", "too-large", "packed", "protocol"
]


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, apart from the address and the key, which it never knows."""

    path: str
    """Below the endpoint's base address, without a slash in front: ``chat/completions``."""
    body: bytes = b""
    """JSON, sent by POST; empty makes it a GET."""
    tokens: int = 0
    """About how many tokens prompt and reply will take, for limits in tokens a minute."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Beside those of every request; never a key."""
    optional: bool = False
    """Whether there is such a route is the question: that there is none (404, 405) goes to the dialog."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a server sent back; nothing of it can be trusted."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case. ``date`` is always among them: the server's, or else the time at which it came."""
    body: bytes = b""
    """Whole, decompressed, and no longer than the bound of the transport."""


@dataclass(frozen=True, slots=True)
class Fault:
    """In the place of a response: there is none, and why."""

    kind: FaultKind
    detail: str
    """In words, in one line, without the key."""
    sent: bool
    """The server may have begun to answer, and may count the request."""
