"""How requests stand in a batch file: OpenAI's form, which ``vllm run-batch`` reads too, and Anthropic's.

OpenAI's is one JSON object a line (``custom_id``, ``method``, ``url``, ``body``), uploaded as a file. Anthropic's is
the body of ``POST /v1/messages/batches``: one object whose ``requests`` have ``custom_id`` and ``params``. Both
services limit requests and bytes of a batch; see the constants. Source: the two providers' published references.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import orjson

from vsgen.backends.endpoint.batch.names import Name
from vsgen.backends.endpoint.http import Request


@dataclass(frozen=True, slots=True)
class Form:
    """How a file begins, goes on and ends, and what one may hold."""

    requests: int
    """At most."""
    size: int
    """Bytes at most, the end included."""
    entry: Callable[[Name, Request], bytes]
    """One request."""
    start: bytes = b""
    between: bytes = b"\n"
    end: bytes = b"\n"


def url_of(request: Request) -> str:
    """The route of a request as batch services name it, whatever stands before it in the server's own address."""
    return f"/v1/{request.path}"


def _line(name: Name, request: Request) -> bytes:
    body = orjson.Fragment(request.body)
    return _one_line({"custom_id": str(name), "method": "POST", "url": url_of(request), "body": body})


def _entry(name: Name, request: Request) -> bytes:
    return _one_line({"custom_id": str(name), "params": orjson.Fragment(request.body)})


def _one_line(value: dict[str, object]) -> bytes:
    """JSON without the characters that end a line for some programs, though they are none in a file of JSON lines."""
    data = orjson.dumps(value)
    for character, escape in _BREAKS.items():
        data = data.replace(character, escape)
    return data


_BREAKS: Final = {one.encode(): f"\\u{ord(one):04x}".encode() for one in "\x85\u2028\u2029"}


OPENAI: Final = Form(50_000, 200_000_000, _line)
ANTHROPIC: Final = Form(100_000, 256_000_000, _entry, b'{"requests":[\n', b",\n", b"\n]}\n")


def form_of(wire: str) -> Form:
    """The form in which requests of a wire are written, by the wire's name."""
    return ANTHROPIC if wire == "messages" else OPENAI
