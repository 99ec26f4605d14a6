"""The wire of Anthropic's messages: a reply is a list of blocks, and thoughts are blocks of their own.

It states no log-probabilities and takes no seed; temperatures go up to 1. Source: the API's published reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import orjson

from vsgen.backends.endpoint.asking import post
from vsgen.backends.endpoint.chat import Written, answered, lacks_for_turns
from vsgen.backends.endpoint.http import Response
from vsgen.backends.endpoint.reading import member, read_object, refused, usage_of
from vsgen.backends.endpoint.strict import strict_schema
from vsgen.backends.endpoint.tokens import NO_TOKENS, by_tokens
from vsgen.backends.endpoint.wire import Abilities, Dialog, Said, Unreadable, Usage, asked
from vsgen.values import Call, Generate, Prompt, Refused

ROUTE: Final = "messages"
HEADERS: Final[Mapping[str, str]] = {"anthropic-version": "2023-06-01"}
"""What every request of this wire has beside its key."""
_HOTTEST: Final = 1.0


class Messages:
    """See the module."""

    name: Final = "messages"

    def lacks(self, call: Call, can: Abilities) -> str | None:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        if not isinstance(call, Generate):
            return "log-probabilities, which scoring needs; method: votes or method: verbalized needs none"
        if call.temperature > _HOTTEST and can.temperature:
            return f"temperatures above 1 (sampling.temperature is {call.temperature:g})"
        return NO_TOKENS if by_tokens(call) else lacks_for_turns(call, can)

    def dialog(self, call: Call, model: str, can: Abilities) -> Dialog:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        if (problem := self.lacks(call, can)) is not None or not isinstance(call, Generate):
            return Said(Refused("refused", f"the server has no {problem}"))
        body = {"model": model, **_turns(call.prompt), **_drawing(call, can), **_form(call, can)}
        request = replace(post(ROUTE, body, call.prompt, call.max_tokens), headers=HEADERS)
        return (yield from asked(request, partial(_read_reply, call=call)))


def _turns(prompt: Prompt) -> dict[str, Any]:
    """The system message apart from the turns, and the beginning of the reply as the last of them."""
    system = "\n\n".join(one.content for one in prompt.messages if one.role == "system")
    made = [{"role": one.role, "content": one.content} for one in prompt.messages if one.role != "system"]
    if prompt.prefill:
        made.append({"role": "assistant", "content": prompt.prefill.rstrip()})  # it takes no space at the end
    return {"system": system, "messages": made} if system else {"messages": made}


def _drawing(call: Generate, can: Abilities) -> dict[str, Any]:
    body: dict[str, Any] = {"max_tokens": call.max_tokens}
    if can.temperature:
        body |= {"temperature": call.temperature} if call.temperature != 1 else {}
        body |= {"top_p": call.top_p} if call.top_p < 1 else {}
    if can.top_k and call.top_k:
        body["top_k"] = call.top_k
    if can.stop and (stops := [stop for stop in call.stop if stop.strip()]):  # it takes none of spaces alone
        body["stop_sequences"] = stops
    return body


def _form(call: Generate, can: Abilities) -> dict[str, Any]:
    if call.schema is None or can.json_schema is None:
        return {}
    schema = orjson.loads(call.schema)
    usable = strict_schema(schema) if can.json_schema == "strict" else schema
    return {} if usable is None else {"output_config": {"format": {"type": "json_schema", "schema": usable}}}


def _read_reply(response: Response, call: Generate) -> Said:
    if response.status >= 300:
        return Said(refused(response))
    said = read_object(response)
    blocks = member(said, "content", list)
    if not all(isinstance(block, dict) for block in blocks):
        raise Unreadable("the reply's 'content' is no list of blocks")
    texts = [one["text"] for one in blocks if one.get("type") == "text" and isinstance(one.get("text"), str)]
    thoughts = [one["thinking"] for one in blocks if isinstance(one.get("thinking"), str)]
    hidden = sum(one.get("type") == "redacted_thinking" for one in blocks)
    written = Written("".join(texts) if texts else None, sum(map(len, thoughts)) + hidden)
    end = said.get("stop_reason")
    return answered(written, end if isinstance(end, str) else None, _usage(said), call)


def _usage(said: Mapping[str, Any]) -> Usage:
    """The tokens of a reply; those of the prompt that were cached are counted apart from the others."""
    usage = usage_of(said, "input_tokens", "output_tokens")
    read = usage_of(said, "cache_read_input_tokens").prompt
    written = usage_of(said, "cache_creation_input_tokens").prompt
    return Usage(usage.prompt + read + written, usage.drawn, usage.hidden, read)
