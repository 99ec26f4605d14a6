"""`Teach` over chat completions: the distributions along a given answer, by the log-probabilities of a prompt's tokens.

The answer is written into the conversation as the reply and read as a prompt (vLLM's ``prompt_logprobs``). Where it
begins and ends is found as in `scoring`, by a stand-in, so that no chat template needs to be known: the end of the
reply is the first token that the template writes after it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vsgen.backends.endpoint.asking import CHAT, size_of, turns
from vsgen.backends.endpoint.drawn import ids_of, logps_of
from vsgen.backends.endpoint.prompt_logprobs import part, stand_in
from vsgen.backends.endpoint.reading import member
from vsgen.backends.endpoint.talk import Asked, Refusal, Talk
from vsgen.backends.endpoint.tokens import DIGITS
from vsgen.backends.endpoint.wire import Abilities, Dialog, Unreadable
from vsgen.values import Prompt, Refused, Taught, Teach


def lacks_for_lessons(call: Teach, can: Abilities) -> str | None:
    """What a server would have to be able to do for a token-level row; None if it can."""
    if not call.prompt.messages:
        return "plain completion, which a prompt without messages needs"
    if not can.tokens or not can.prompt_logprobs:
        return "ids of tokens with a prompt's log-probabilities (prompt_logprobs), which token-level rows need"
    if call.top > can.listed:
        return f"more than {can.listed} tokens at each position (vLLM: --max-logprobs); use top={can.listed}"
    return None


def taught(call: Teach, model: str, can: Abilities) -> Dialog:
    """Answer a call."""
    talk = Talk(model)
    return (yield from talk.held(_taught(talk, call, can)))


class _Read(NamedTuple):
    """A conversation as the server reads it."""

    ids: tuple[int, ...]
    places: Sequence[Mapping[int, float]]
    """What is listed for each token but the first."""


def _taught(talk: Talk, call: Teach, can: Abilities) -> Asked[Taught]:
    other = yield from _read(talk, call.prompt, stand_in([call.answer]) or "", can, 0)
    read = yield from _read(talk, call.prompt, call.answer, can, call.top)
    try:
        start, end = part(read.ids, other.ids)
    except ValueError as problem:
        raise Refusal(Refused("refused", f"the answer cannot be taught: {problem}")) from None
    tokens, places = read.ids[start : end + 1], read.places[start - 1 : end]
    if not start or not all(token in place for token, place in zip(tokens, places, strict=True)):
        raise Refusal(Refused("refused", "the server leaves out log-probabilities of the answer's own tokens"))
    likeliest = [sorted(place.items(), key=lambda one: (-one[1], one[0]))[: call.top] for place in places]
    width = min(map(len, likeliest))
    listed = [one for place in likeliest for one in place[:width]]
    return Taught(
        prompt_tokens=read.ids[:start],
        tokens=tokens,
        logps=tuple(round(place[token], DIGITS) for token, place in zip(tokens, places, strict=True)),
        width=width,
        top_ids=struct.pack(f"<{len(listed)}I", *(token for token, _ in listed)),
        top_logps=struct.pack(f"<{len(listed)}f", *(logp for _, logp in listed)),
    )


def _read(talk: Talk, prompt: Prompt, answer: str, can: Abilities, top: int) -> Asked[_Read]:
    """Have an answer read as the reply to a prompt."""
    whole = Prompt(prompt.messages, prompt.prefill + answer)
    body = {
        "messages": turns(whole, can) if whole.prefill else [*turns(whole, can), {"role": "assistant", "content": ""}],
        "add_generation_prompt": False,
        "prompt_logprobs": top,
        "max_tokens": 1,
        "return_token_ids": True,
    }
    return (yield from talk.ask(CHAT, body, size_of(whole) + 1, _line))


def _line(said: Mapping[str, Any]) -> _Read:
    ids, places = ids_of(said.get("prompt_token_ids")), member(said, "prompt_logprobs", list)
    if len(ids) < 2 or len(ids) != len(places):
        raise Unreadable("the reply does not state 'prompt_logprobs' for each token of the prompt")
    return _Read(ids, [logps_of(place) for place in places[1:]])
