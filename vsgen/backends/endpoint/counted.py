"""What a call took: as the server counts it, or an estimate where it does not count, and what failed attempts took."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import orjson

from vsgen.backends.endpoint.http import Response
from vsgen.backends.endpoint.reading import usage_of
from vsgen.backends.endpoint.wire import Said, Usage
from vsgen.texts import about_tokens
from vsgen.values import (
    Answer,
    Call,
    Completion,
    Decide,
    Decided,
    Embed,
    Generate,
    Prompt,
    Refused,
    Score,
    Scores,
    Taught,
    Teach,
    Vector,
)

_TURN: Final = 4
"""Tokens around a message."""


def counted(said: Said, call: Call, requests: int, lost: Usage) -> Answer:
    """The answer to a call, with all that it took.

    Args:
        said: What came of its dialog.
        call: What was asked.
        requests: How many of its requests were answered.
        lost: What its failed attempts took.
    """
    answer, usage = said
    if not usage.total and not isinstance(answer, Refused):
        usage = _estimated(answer, call, requests)
        if isinstance(answer, Completion) and not answer.drawn:
            answer = replace(answer, count=usage.drawn, prompt_tokens=usage.prompt)
    return with_usage(answer, usage + lost if lost.total else usage)


def withheld(answer: Answer) -> Answer:
    """An answer as an executor gives it: what a server refuses is refused to one call, and says nothing of others."""
    return replace(answer, why="withheld") if isinstance(answer, Refused) and answer.why == "refused" else answer


def with_usage(answer: Answer, usage: Usage) -> Answer:
    """An answer with what it took; a refusal that took nothing stays as it is."""
    match answer:
        case Completion() | Scores() | Decided() | Taught() | Vector():
            return replace(answer, usage=usage)
        case Refused() if usage.total:
            return replace(answer, usage=usage)
        case _:
            return answer


def stated(response: Response) -> Usage:
    """What a response that is of no use says that it took all the same."""
    if response.status >= 300:
        return Usage()
    try:
        said = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return Usage()
    if not isinstance(said, dict):
        return Usage()
    usage = usage_of(said)
    return usage if usage.total else usage_of(said, "input_tokens", "output_tokens")


def _estimated(answer: Answer, call: Call, requests: int) -> Usage:
    match call, answer:
        case Generate(prompt=prompt), Completion(text=text):
            read, drawn = _read(prompt), about_tokens(text)
        case Score(prompt=prompt), _:
            read, drawn = requests * _read(prompt), requests
        case Decide(state=state, questions=questions), _:
            each = (about_tokens("\n".join([one.text, *one.options])) for one in questions)
            read, drawn = len(questions) * about_tokens(state) + sum(each), len(questions)
        case Teach(prompt=prompt, answer=text), _:
            read, drawn = requests * (_read(prompt) + about_tokens(text)), requests
        case Embed(text=text), _:
            read, drawn = about_tokens(text), 0
        case _:
            return Usage()
    return Usage(read, drawn, estimated=read + drawn)


def _read(prompt: Prompt) -> int:
    turns = sum(about_tokens(one.content) + _TURN for one in prompt.messages)
    return turns + about_tokens(prompt.prefill) + (0 if prompt.opened else about_tokens(prompt.cue))
