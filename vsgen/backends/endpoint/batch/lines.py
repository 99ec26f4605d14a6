"""One line of a file of results, of either provider; nothing of it is trusted.

OpenAI's and vLLM's have ``response`` (``status_code``, ``body``) or ``error``; Anthropic's have ``result``, whose
``type`` is ``succeeded``, ``errored``, ``canceled`` or ``expired``. A response becomes what it would have been over
HTTP, so that wires read it as they read every other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from vsgen.backends.endpoint.batch.names import Name, read_name
from vsgen.backends.endpoint.http import Response
from vsgen.backends.endpoint.reading import quoted

_NAMED: Final = re.compile(rb'"custom_id"\s*:\s*"([0-9a-f-]{36,64})"')
_HEAD: Final = 1 << 16
"""Bytes of a line in which its name is looked for, where it is not JSON."""
_STATUSES: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""Over HTTP, of Anthropic's errors."""
_NOBODY: Final = re.compile(r"expired|cancell?ed", re.IGNORECASE)
"""In the code of an error for which neither request nor server is to blame."""


@dataclass(frozen=True, slots=True)
class Lost:
    """In the place of a response: the request has to be sent again."""

    why: str
    """In words, in one line."""
    blamed: bool = True
    """It may lie in the request, so that it counts as an attempt."""


Came: TypeAlias = Response | Lost


class Result(NamedTuple):
    """What came of a request."""

    name: Name
    came: Came


def read_result(line: bytes) -> Result | None:
    """The result that a line holds; None if it is no result of a request of ours."""
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        name = _name_within(line)
        return name and Result(name, Lost(f"the result is not JSON ({error.msg})"))
    name = read_name(said.get("custom_id")) if isinstance(said, dict) else None
    if name is None:
        return None
    if isinstance(said.get("result"), dict):
        return Result(name, _of_anthropic(said["result"]))
    return Result(name, _of_openai(said)) if said.keys() & {"response", "error"} else None


def too_long(line: bytes, most: int) -> Result | None:
    """The result that a line would hold that is longer than is read.

    Args:
        line: Its beginning.
        most: Bytes that are read.
    """
    name = _name_within(line)
    return name and Result(name, Lost(f"a result of more than {most:,} bytes"))


def _name_within(line: bytes) -> Name | None:
    found = _NAMED.search(line[:_HEAD]) if line.lstrip().startswith(b"{") else None
    return found and read_name(found[1].decode())


def _of_openai(said: Mapping[str, Any]) -> Came:
    response, error = said.get("response"), said.get("error")
    if isinstance(response, dict) and (status := _status(response.get("status_code"))):
        body = response.get("body")
        return Response(status, body=orjson.dumps({"error": error or "no body"} if body is None else body))
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, error)
    words = _words([code, message]) or "neither a response nor an error"
    return Lost(words, blamed=not _NOBODY.search(str(code)))


def _of_anthropic(result: Mapping[str, Any]) -> Came:
    match result.get("type"):
        case "succeeded":
            return Response(200, body=orjson.dumps(result.get("message")))
        case "errored":
            return _errored(result.get("error"))
        case "canceled" | "expired" as kind:
            return Lost(kind, blamed=False)
        case kind:
            return Lost(f"a result of type {_words([kind]) or 'none'}")


def _errored(error: Any) -> Came:
    inner = error.get("error") if isinstance(error, dict) and isinstance(error.get("error"), dict) else error
    kind = inner.get("type") if isinstance(inner, dict) else None
    return Response(_STATUSES.get(str(kind), 500), body=orjson.dumps({"error": inner}))


def _status(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 200 <= value < 600 else None


def _words(values: list[Any]) -> str:
    """What an error says, in one line."""
    return quoted(": ".join(value for value in values if isinstance(value, str)).encode("utf-8", "replace"))
