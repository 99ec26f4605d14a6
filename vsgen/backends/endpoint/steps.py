"""Choices scored by the most probable next tokens, which is all that most servers state (``top_logprobs``).

A choice is walked along, token by token: its beginning is given as the beginning of the reply (prefill), and the next
step's probabilities are read. What a server does not list is not zero: it is at most as probable as the last that it
lists, and as what the listed ones leave of 1. So every choice has a lower and an upper bound, equal where all of its
steps and the end of the reply are listed. A listed token that a choice begins with need not be the choice's own (a
space, of a word with its space): its own is then one that is not listed, which bounds the choice as well. Without
prefill only the first step can be read: then a choice is at most as probable as its first token. Between the bounds
lies an estimate: the upper one where nothing speaks for another continuation, shared by those that begin alike, and
half of it where the choice is not listed at all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from vsgen.backends.endpoint.asking import CHAT, continued, post, turns
from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.reading import first, member, read_object, refused, usage_of
from vsgen.backends.endpoint.wire import Abilities, Said, Unreadable, Usage, asked
from vsgen.probability import log_sum_exp
from vsgen.values import Prompt, Refused, Score, Scores

_END: Final = re.compile(r"(?:<[^<>\s]{1,40}>)?")
"""How servers write the token that ends a reply: a name in angle brackets, or nothing."""
_LINE_END: Final = re.compile(rf"{_END.pattern}|\n[^\0]*")
_SENTENCE_END: Final = re.compile(rf"{_LINE_END.pattern}|\.\s*")
_UNSTATED: Final = -9000.0
"""Servers write a number below this where they state none."""
_FAINT: Final = -16.0
"""A beginning less probable than this, nats, is not walked on: it is bounded well enough."""
_ROUNDING: Final = 1.01


@dataclass(frozen=True, slots=True)
class Listed:
    """The next tokens that a server lists, by their texts."""

    logps: Mapping[str, float]
    usage: Usage

    @property
    def left(self) -> float:
        """What they leave of 1."""
        return max(0.0, 1 - math.fsum(map(math.exp, self.logps.values())))

    @property
    def unlisted(self) -> float:
        """The most that a token which is not listed can have."""
        return min(self.left, math.exp(min(self.logps.values())))

    def ends(self, end: re.Pattern[str]) -> float:
        """P(the reply ends here), as far as it is listed, by a token of this form."""
        return math.fsum(math.exp(logp) for text, logp in self.logps.items() if end.fullmatch(text))

    def longest(self, rest: str) -> str | None:
        """The longest of them that what is still to come begins with."""
        return max((text for text in self.logps if text and rest.startswith(text)), key=len, default=None)


class Bounds(NamedTuple):
    """How probable a choice is; no logarithms."""

    lower: float
    upper: float
    estimate: float


def stepped(call: Score, model: str, can: Abilities) -> Generator[Request | Unreadable, Response, Said]:
    """Score the choices of a call step by step."""
    known: dict[str, Listed] = {}
    usage, waiting = Usage(), [""]
    while waiting:
        begun = waiting.pop()
        whole = Prompt(call.prompt.messages, call.prompt.prefill + begun)
        listed = yield from asked(post(CHAT, _body(whole, model, can), whole, 1), _listed)
        if isinstance(listed, Refused):
            return Said(listed, usage)
        known[begun] = _trimmed(listed) if not whole.prefill else listed
        usage += listed.usage
        waiting = _next(call, known) if can.prefill else []
    bounds = [_bounds(choice, known, call) for choice in call.choices]
    return Said(_scores(bounds, known[""].usage.prompt), usage)


def _body(prompt: Prompt, model: str, can: Abilities) -> dict[str, Any]:
    limit = "max_completion_tokens" if can.max_completion_tokens else "max_tokens"
    body = {"model": model, "messages": turns(prompt, can), limit: 1, "logprobs": True}
    heat = {"temperature": 1.0} if can.temperature else {}  # not all servers state probabilities of before it
    return {**body, "top_logprobs": can.top_logprobs, **heat, **continued(prompt)}


def _listed(response: Response) -> Listed | Refused:
    if response.status >= 300:
        return refused(response)
    said = read_object(response)
    place = first(member(first(said, "choices"), "logprobs", dict), "content")
    logps: dict[str, float] = {}
    for text, logp in filter(None, map(_pair, member(place, "top_logprobs", list))):
        logps[text] = log_sum_exp([logps[text], logp]) if text in logps else logp  # llama.cpp names no token that ends
    if (drawn := _pair(place)) is not None:
        logps.setdefault(*drawn)
    if not logps or math.fsum(map(math.exp, logps.values())) > _ROUNDING:
        raise Unreadable("'top_logprobs' of the reply are no distribution")
    return Listed(logps, usage_of(said))


def _pair(stated: Any) -> tuple[str, float] | None:
    """A token and its log-probability; None where the server says that it states none."""
    text, logp = (stated.get("token"), stated.get("logprob")) if isinstance(stated, dict) else (None, None)
    if not isinstance(text, str) or isinstance(logp, bool) or not isinstance(logp, int | float) or not logp <= 0.1:
        raise Unreadable("'top_logprobs' of the reply has a token without a text or a log-probability")
    return (text, min(float(logp), 0.0)) if logp > _UNSTATED else None


def _trimmed(listed: Listed) -> Listed:
    """The first step, where a token that begins with a space is the same word."""
    sums: dict[str, float] = {}
    for text, logp in listed.logps.items():
        name = text.lstrip() or text
        sums[name] = sums.get(name, 0.0) + math.exp(logp)
    return Listed({name: math.log(p) if p > 0 else -math.inf for name, p in sums.items()}, listed.usage)


def _next(call: Score, known: Mapping[str, Listed]) -> list[str]:
    """Beginnings of choices that are still to be read, one step on."""
    found = [_walk(choice, known) for choice in call.choices]
    return list(dict.fromkeys(one.begun for one in found if one.logp > _FAINT and one.listed and not one.read))


class _Walked(NamedTuple):
    """How far along a choice all is known."""

    begun: str
    logp: float
    """Log P(the reply begins so)."""
    listed: bool
    """Its next token was listed wherever it was read."""
    read: bool
    """What comes after it was read."""
    aside: float
    """The most that the choice has where its own tokens are others, which are not listed; no logarithm."""


def _walk(choice: str, known: Mapping[str, Listed]) -> _Walked:
    begun, logp, aside = "", 0.0, 0.0
    while (here := known.get(begun)) is not None and begun != choice:
        text = here.longest(choice[len(begun) :])
        if text is None:
            return _Walked(begun, logp, listed=False, read=True, aside=aside)
        if begun + text != choice:
            aside = max(aside, math.exp(logp) * here.unlisted)
        begun, logp = begun + text, logp + here.logps[text]
    return _Walked(begun, logp, listed=True, read=here is not None, aside=aside)


def _bounds(choice: str, known: Mapping[str, Listed], call: Score) -> Bounds:
    walked = _walk(choice, known)
    lower, upper, estimate = _bounds_along(walked, known, call)
    if walked.aside <= upper:
        return Bounds(lower, upper, estimate)
    return Bounds(lower, walked.aside, max(estimate, walked.aside / 2))


def _bounds_along(walked: _Walked, known: Mapping[str, Listed], call: Score) -> Bounds:
    """As if the tokens that were walked along were the choice's own."""
    reached, here = math.exp(walked.logp), known.get(walked.begun)
    if here is None:
        alike = sum(_walk(one, known).begun == walked.begun for one in call.choices)
        return Bounds(0.0, reached, reached / alike)
    if not walked.listed:
        upper = reached * here.unlisted
        return Bounds(0.0, upper, upper / 2)
    ends = here.ends(_end_of(call))
    if not ends:  # either the end is not among the most probable, or this server lists none
        return Bounds(0.0, reached * here.left, reached * here.left)
    return Bounds(*[reached * min(1.0, ends)] * 3)


def _end_of(call: Score) -> re.Pattern[str]:
    """What ends a choice: after an open line also the line's end, or a period where no choice has one in it."""
    if not call.prompt.opened:
        return _END
    return _LINE_END if any("." in choice for choice in call.choices) else _SENTENCE_END


def _scores(bounds: list[Bounds], prompt_tokens: int) -> Scores:
    lower, upper, estimate = (tuple(map(_log, column)) for column in zip(*bounds, strict=True))
    exact = all(one.lower == one.upper for one in bounds)
    return Scores(estimate, prompt_tokens, () if exact else lower, () if exact else upper)


def _log(p: float) -> float:
    return math.log(p) if p > 0 else -math.inf
