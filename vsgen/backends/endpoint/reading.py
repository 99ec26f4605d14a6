"""What is read of a response, whatever the API: its JSON, its error, its counts of tokens. Nothing of it is trusted.

A member that has another type than the API's is no member: what needs it raises `Unreadable`, so that the request is
sent again. orjson bounds the depth and takes neither half pairs of surrogates nor numbers that are none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from vsgen.backends.endpoint.http import Response
from vsgen.backends.endpoint.wire import Unreadable, Usage
from vsgen.terminal import harmless
from vsgen.values import Refused

_MOST_TOKENS: Final = 1 << 31
_QUOTED: Final = 300
"""Characters of a server's own words that are shown."""
_TOO_LONG: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"too long\D{0,40}(?P<tokens>\d{1,9}) tokens? > (?P<context>\d{1,9})",
        r"context (?:length|window|size)\D{0,40}(?P<context>\d{1,9})\D.{0,80}?(?P<tokens>\d{1,9})\D{0,20}tokens",
        r"limit of (?P<context>\d{1,9}) tokens.{0,80}?(?P<tokens>\d{1,9}) tokens",
        r"length (?P<tokens>\d{1,9})\) is longer than.{0,40}?(?P<context>\d{1,9})",
        r"\((?P<tokens>\d{1,9}) tokens?\).{0,60}context (?:length|window|size)\D{0,20}(?P<context>\d{1,9})",
    )
)
"""How servers say that a call is too long, with both numbers: Anthropic; OpenAI and vLLM, each twice; llama.cpp."""
_LONG_CODES: Final = frozenset({"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"})
_FILTERED: Final = frozenset({"content_filter", "content_policy_violation", "refusal"})


def read_object(response: Response) -> dict[str, Any]:
    """The JSON object that a response of status 2xx is.

    Raises:
        Unreadable: It is none, or it is an error in spite of its status.
    """
    try:
        said = orjson.loads(response.body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"status {response.status}, but no JSON ({error.msg}): {quoted(response.body)}") from None
    if not isinstance(said, dict):
        raise Unreadable(f"status {response.status}, but no JSON object: {quoted(response.body)}")
    if said.get("error") or said.get("type") == "error":
        raise Unreadable(f"status {response.status}, but an error: {error_of(response)}")
    return said


def member(said: Mapping[str, Any], name: str, kind: type) -> Any:
    """A member of the type that it must have.

    Raises:
        Unreadable: There is none.
    """
    value = said.get(name)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Unreadable(f"the reply has no {name!r} of the usual type")
    return value


def first(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The first object of a list.

    Raises:
        Unreadable: There is none.
    """
    found: list[Any] = member(said, name, list)
    if not found or not isinstance(found[0], dict):
        raise Unreadable(f"{name!r} of the reply holds no object")
    return found[0]


def error_of(response: Response) -> str:
    """What a server says is wrong, in one line, or else the beginning of its body."""
    message = _error(response)[0]
    return quoted(message.encode("utf-8", "replace")) if message else quoted(response.body) or "no reason given"


def refused(response: Response) -> Refused:
    """Why a server does not answer this one request, from a response whose status blames the request."""
    message, codes = _error(response)
    if codes & _FILTERED:
        return Refused("refused", f"the server's content filter refused the request: {error_of(response)}")
    found = next((match for pattern in _TOO_LONG if (match := pattern.search(message[:2000]))), None)
    numbers = (int(found["tokens"]), int(found["context"])) if found else _counted(response)
    if numbers is not None and 0 < numbers[1] < numbers[0]:
        return Refused("too-long", f"{error_of(response)}; shorten the text", *numbers)
    if codes & _LONG_CODES:
        return Refused("refused", f"the request is too long for the model: {error_of(response)}; shorten the text")
    return Refused("refused", f"the server refuses the request (status {response.status}): {error_of(response)}")


def usage_of(said: Mapping[str, Any], prompt: str = "prompt_tokens", drawn: str = "completion_tokens") -> Usage:
    """The tokens that a reply counts; 0 where it does not.

    Args:
        said: The reply.
        prompt: What its ``usage`` calls those of the prompt.
        drawn: What it calls those of the reply.
    """
    usage = said.get("usage")
    if not isinstance(usage, dict):
        return Usage()
    total, hidden = _count(usage, drawn), _count(usage.get(f"{drawn}_details"), "reasoning_tokens")
    cached = _count(usage.get(f"{prompt}_details"), "cached_tokens")
    return Usage(_count(usage, prompt), total, min(hidden, total), cached)


def quoted(body: bytes) -> str:
    """The beginning of what a server wrote, in one line that a terminal only shows."""
    return harmless(" ".join(body[: 4 * _QUOTED].decode("utf-8", "replace").split()))[:_QUOTED]


def _error(response: Response) -> tuple[str, frozenset[str]]:
    """The message of an error, and the words that name its kind; both empty where it is not JSON."""
    try:
        said = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return "", frozenset()
    if not isinstance(said, dict):
        return "", frozenset()
    error = said.get("error")
    inner = error if isinstance(error, dict) else said
    texts = [error, inner.get("message"), inner.get("detail"), inner.get("msg")]
    message = next((text for text in texts if isinstance(text, str) and text), "") or _details(inner.get("detail"))
    codes = (inner.get(name) for name in ("code", "type", "param"))
    return message, frozenset(code for code in codes if isinstance(code, str))


def _details(detail: object) -> str:
    """The problems that a validator of the server lists."""
    if not isinstance(detail, list):
        return ""
    return "; ".join(one["msg"] for one in detail[:3] if isinstance(one, dict) and isinstance(one.get("msg"), str))


def _counted(response: Response) -> tuple[int, int] | None:
    """Tokens and context, where llama.cpp states them as members of its error."""
    try:
        said = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return None
    error = said.get("error") if isinstance(said, dict) else None
    return (_count(error, "n_prompt_tokens"), _count(error, "n_ctx")) if isinstance(error, dict) else None


def _count(counts: object, name: str) -> int:
    value = counts.get(name) if isinstance(counts, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_TOKENS else 0


def cut_at(text: str, stops: Sequence[str]) -> tuple[str, bool]:
    """A text up to the first of the stop strings, which not every server leaves out, and whether there was one."""
    places = [place for stop in stops if stop and (place := text.find(stop)) >= 0]
    return (text[: min(places)], True) if places else (text, False)
