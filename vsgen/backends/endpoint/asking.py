"""What the wires of OpenAI's API say alike: how a reply is drawn, and about how many tokens a request will take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from vsgen.backends.endpoint.http import Request
from vsgen.backends.endpoint.strict import strict_schema
from vsgen.backends.endpoint.wire import Abilities
from vsgen.values import Generate, Prompt

CHAT: Final = "chat/completions"
"""The route of replies to turns."""
_STOPS: Final = 4
"""Stop strings that every server takes; a reply is cut at the others when it is here."""
_SEEDS: Final = 1 << 31
"""Seeds that every server takes as they are."""
_EVERY_TOKEN: Final = 1 << 20
"""`top_k` of the whole vocabulary: for this some servers take 0, some -1, and all a number that no vocabulary has."""
_CHARS: Final = 3
"""Characters of a token, so that limits are estimated rather too high than too low."""
_TURN: Final = 8
"""Tokens around a message."""


def post(path: str, body: Mapping[str, object], prompt: Prompt, drawn: int) -> Request:
    """A request, with the tokens that it will probably take.

    Args:
        path: Its route.
        body: A JSON object.
        prompt: What is asked.
        drawn: Tokens of the reply, at most.
    """
    return Request(path, orjson.dumps(body), size_of(prompt) + drawn)


def size_of(prompt: Prompt) -> int:
    """About how many tokens a prompt has."""
    chars = sum(len(one.content) + _TURN * _CHARS for one in prompt.messages) + len(prompt.prefill)
    return chars // _CHARS + 1


def drawing(call: Generate, can: Abilities) -> dict[str, Any]:
    """The members that say how a reply is drawn, as far as the server heeds them.

    What a request leaves out is up to the server: vLLM takes it from the model's ``generation_config.json`` (for many
    ``top_k: 20`` and a repetition penalty), llama.cpp has ``top_k`` 40, ``top_p`` .95 and ``min_p`` .05. So servers
    that heed ``top_k`` are given all of them.
    """
    body: dict[str, Any] = {"max_completion_tokens" if can.max_completion_tokens else "max_tokens": call.max_tokens}
    if can.temperature:
        body["temperature"] = call.temperature
        body |= {"top_p": call.top_p} if call.top_p < 1 or can.top_k else {}
    if can.top_k:
        body |= {"top_k": call.top_k or _EVERY_TOKEN, "min_p": call.min_p, "repetition_penalty": 1.0}
    if can.stop and call.stop:
        body["stop"] = list(call.stop[:_STOPS])
    return body | seeded(call, can)


def seeded(call: Generate, can: Abilities) -> dict[str, int]:
    """The member that names a draw, if the server heeds it."""
    return {"seed": call.seed % _SEEDS} if can.seed else {}


def form(call: Generate, can: Abilities) -> dict[str, Any]:
    """The members that hold a reply to its schema or pattern, as far as the server can."""
    if call.schema is not None and can.json_schema is not None:
        schema = orjson.loads(call.schema)
        if can.json_schema == "tight":
            held = {"type": "json_schema", "json_schema": schema, "max_whitespace_cnt": 1}
            return {"response_format": {"type": "structural_tag", "format": held}}
        strict = can.json_schema == "strict"
        usable = strict_schema(schema) if strict else schema
        if usable is not None:
            named = {"name": "reply", "schema": usable, **({"strict": True} if strict else {})}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
    if call.pattern is not None and can.pattern:
        return {"structured_outputs": {"regex": call.pattern}}
    return {}


def turns(prompt: Prompt, can: Abilities) -> list[dict[str, str]]:
    """A prompt's messages; a system message goes before the first one where it has no place of its own."""
    made = [{"role": one.role, "content": one.content} for one in prompt.messages]
    if not can.system and len(made) > 1 and made[0]["role"] == "system":
        made = [{"role": made[1]["role"], "content": f"{made[0]['content']}\n\n{made[1]['content']}"}, *made[2:]]
    return [*made, {"role": "assistant", "content": prompt.prefill}] if prompt.prefill else made


def continued(prompt: Prompt) -> dict[str, bool]:
    """What has vLLM and its kin go on with the last message, in place of answering it."""
    return {"add_generation_prompt": False, "continue_final_message": True} if prompt.prefill else {}
