"""Whole choices, scored by the log-probabilities of a prompt's own tokens, which vLLM states (``prompt_logprobs``).

Each choice is written into its place and read as a prompt, in which every token has the log-probability that the model
gives it there. Nothing is drawn, so that no grammar and no temperature has a part in it: the numbers are the model's
own, those of names of several tokens too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, Final, NamedTuple, TypeAlias

from vsgen.backends.endpoint.wire import Unreadable

ASKED: Final = {"prompt_logprobs": 0, "max_tokens": 1, "temperature": 0.0}
"""The members of a request that say what is wanted: each token of the prompt, and no other."""
_NEVER: Final = -9000.0
"""Servers write a number below this for the logarithm of 0, which JSON has not."""


class Token(NamedTuple):
    """A token of a prompt in its place."""

    id: int
    logp: float
    """Given all before it, nats."""


Line: TypeAlias = tuple[Token | None, ...]
"""A prompt; nothing is known of its first token."""


def read_line(stated: Any) -> Line:
    """A prompt out of the ``prompt_logprobs`` of a reply.

    Raises:
        Unreadable: They are none.
    """
    if not isinstance(stated, list) or not stated:
        raise Unreadable("the reply has no 'prompt_logprobs'")
    return (None, *(_token(place) for place in stated[1:]))


def _token(place: Any) -> Token:
    """The prompt's own token comes first where others are stated beside it."""
    if not isinstance(place, dict) or not place:
        raise Unreadable("'prompt_logprobs' of the reply has a place without a token")
    name, stated = next(iter(place.items()))
    logp = stated.get("logprob") if isinstance(stated, dict) else None
    if not name.isdecimal() or len(name) > 10 or isinstance(logp, bool) or not isinstance(logp, int | float):
        raise Unreadable("'prompt_logprobs' of the reply has a token without an id or a number")
    if math.isnan(logp) or logp > 1:
        raise Unreadable("'prompt_logprobs' of the reply has a number that is no log-probability")
    return Token(int(name), -math.inf if logp <= _NEVER else min(float(logp), 0.0))


def after(line: Line, before: Line) -> float:
    """Log P(a prompt | another one that it begins with), but for their tokens in common; nats.

    Where the longer one spells the other's last tokens differently, they count for it and against the other.
    """
    common = _common(line, before)
    return _sum(line[common:]) - _sum(before[common:])


def between(line: Line, other: Line, *, ended: bool = True) -> float:
    """Log P(what stands in a turn, then its end | all before it); nats.

    Args:
        line: A conversation that ends with the turn.
        other: The same with other words in its place, which neither begin nor end alike.
        ended: Whether the end counts.

    Raises:
        ValueError: There is no end: the two differ in their last tokens.
    """
    start, end = part(list(map(_id, line)), list(map(_id, other)))
    return _sum(line[start : end + ended])


def part(ids: Sequence[int | None], others: Sequence[int | None]) -> tuple[int, int]:
    """Where in a conversation its last words begin, and where the end of the turn is that follows them.

    Args:
        ids: The tokens of a conversation.
        others: The same with other words in their place, which neither begin nor end alike.

    Raises:
        ValueError: There is no end: the two differ in their last tokens.
    """
    start = _shared(ids, others)
    end = _shared(ids[start:][::-1], others[start:][::-1])
    if not end:
        raise ValueError("the server's chat template writes no end of a turn")
    return start, len(ids) - end


def _common(line: Line, other: Line) -> int:
    """How many tokens they begin with in common."""
    return _shared(list(map(_id, line)), list(map(_id, other)))


def _shared(ids: Sequence[int | None], others: Sequence[int | None]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(ids, others, strict=False)))


def _id(token: Token | None) -> int | None:
    return None if token is None else token.id


def _sum(line: Sequence[Token | None]) -> float:
    return math.fsum(token.logp for token in line if token is not None)


_SIGNS: Final = "0xQ7#Zk9*Jw4"


def stand_in(choices: Sequence[str]) -> str | None:
    """A text that begins and ends as none of the choices does; None if there is none at hand."""
    taken = {one for choice in choices for one in (choice.strip()[:1] + choice.strip()[-1:])}
    return next((sign for sign in _SIGNS if sign not in taken), None)
