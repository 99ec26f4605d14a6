"""`Score` over chat completions: log P(a choice, then the end of the reply | conversation).

Where the server states the log-probabilities of a prompt's tokens, each choice is written into the conversation as the
reply, and read; see `prompt_logprobs`. What comes before and behind the choice is found by a stand-in, which is another
text in its place, so that no chat template needs to be known. Never under a grammar: it would hide how probable it is
that the reply is none of the choices (Grammar-Aligned Decoding, arXiv 2405.21047). Elsewhere see `steps`.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from vsgen.backends.endpoint.asking import CHAT, post, turns
from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.prompt_logprobs import ASKED, Line, between, read_line, stand_in
from vsgen.backends.endpoint.reading import read_object, refused, usage_of
from vsgen.backends.endpoint.steps import stepped
from vsgen.backends.endpoint.wire import Abilities, Said, Unreadable, Usage, asked
from vsgen.probability import logs
from vsgen.values import Prompt, Refused, Score, Scores

PLAIN: Final = "plain completion, which a prompt without messages needs (--wire completions may have it)"


def lacks_for_scores(call: Score, can: Abilities) -> str | None:
    """What a server would have to be able to do to score choices; None if it can."""
    if not call.prompt.messages:
        return f"{PLAIN}; of labels, form: turns needs none"
    if can.prompt_logprobs:
        return None
    if can.reasoning or not can.top_logprobs:
        return "log-probabilities, which scoring needs; method: votes or method: verbalized needs none"
    return "prefill, the beginning of a reply" if call.prompt.prefill and not can.prefill else None


def scored(call: Score, model: str, can: Abilities) -> Generator[Request | Unreadable, Response, Said]:
    """Score all choices of a call, by the best means that the server has."""
    if can.prompt_logprobs:
        return (yield from _read(call, model, can))
    return (yield from stepped(_spaced(call), model, can))


def lines(call: Score, model: str, can: Abilities) -> tuple[Request, ...]:
    """The requests of a call by `prompt_logprobs`, of which none hangs on the response to another.

    None at all where there is no stand-in for the choices.
    """
    sign = stand_in(call.choices)
    wholes = [] if sign is None else [sign, *_spaced(call).choices]  # a space would be no end of what they share
    prompts = [Prompt(call.prompt.messages, call.prompt.prefill + text) for text in wholes]
    how = {"add_generation_prompt": False, **ASKED}
    return tuple(post(CHAT, {"model": model, "messages": turns(one, can), **how}, one, 1) for one in prompts)


def _spaced(call: Score) -> Score:
    """The call with its choices as they are spelled: after an open line each follows a space."""
    return replace(call, choices=tuple(f" {one}" for one in call.choices)) if call.prompt.opened else call


class _Reading(NamedTuple):
    line: Line
    usage: Usage


def _read(call: Score, model: str, can: Abilities) -> Generator[Request | Unreadable, Response, Said]:
    usage, found = Usage(), list[Line]()
    requests = lines(call, model, can)
    if not requests:
        return Said(Refused("choice", "the choices begin and end with too many different characters to be scored"))
    for request in requests:
        reading = yield from asked(request, _line)
        if isinstance(reading, Refused):
            return Said(reading, usage)
        found.append(reading.line)
        usage += reading.usage
    before, *each = found
    try:
        logps = tuple(between(line, before) for line in each)
        begun = tuple(between(line, before, ended=False) for line in each) if call.prompt.opened else ()
    except ValueError as error:
        return Said(Refused("refused", f"the choices cannot be scored: {error}"), usage)
    return Said(_of_line(call.choices, logps, begun, len(before)) if begun else Scores(logps, len(before)), usage)


def _of_line(choices: Sequence[str], ended: Sequence[float], begun: Sequence[float], prompt_tokens: int) -> Scores:
    """Scores after an open line, which a line's end and a period end as well, and how probable these are is not read.

    So a choice is at least as probable as with the end of the turn, and at most as probable as its own tokens. The
    estimate is the latter, less what goes to longer choices that begin alike.
    """
    alone: dict[str, float] = {}
    for choice, logp, low in sorted(zip(choices, begun, ended, strict=True), key=lambda one: -len(one[0])):
        longer = math.fsum(p for other, p in alone.items() if other.startswith(choice))
        alone[choice] = max(math.exp(logp) - longer, math.exp(low))
    return Scores(tuple(logs([alone[choice] for choice in choices])), prompt_tokens, tuple(ended), tuple(begun))


def _line(response: Response) -> _Reading | Refused:
    if response.status >= 300:
        return refused(response)
    said = read_object(response)
    return _Reading(read_line(said.get("prompt_logprobs")), usage_of(said))
