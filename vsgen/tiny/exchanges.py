"""Worked exchanges before a task: earlier requests, answered in the form that is asked for.

They are shown and not practised: a reader learns to take the form from the system message and the matter from the last
request. Only answers to the very same request count as said.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from vsgen.tiny.asks import Answers
from vsgen.tiny.grammar.outside import outside
from vsgen.tiny.grammar.script import Step, fixed, perform
from vsgen.tiny.grammar.tasks import TOPICS, Request, by_topic
from vsgen.tiny.grammar.wordings import fill
from vsgen.tiny.replies import reply
from vsgen.tiny.turns import Turn, user

OUTSIDE_SHARE: Final = 0.5
"""Share of exchanges whose request is not the grammar's."""
_SAME_SHARE: Final = 0.1
_ALIKE_SHARE: Final = 0.4
_SHORT: Final = 5
"""Answers to an exchange above which there is only one."""


def exchanges(ask: Answers, rng: Random) -> tuple[Answers, tuple[Turn, ...]]:
    """One or two exchanges, and the ask less what they said of its own request."""
    turns: list[Turn] = []
    for _ in range(rng.choice((1, 2)) if ask.k <= _SHORT else 1):
        request = _request(ask, rng)
        task = fill(request.wordings.draw(rng, "train" if request.keys else "shipped"), request.keys)
        steps, said = perform(reply(replace(ask, request=request, said=frozenset())), rng)
        turns += user(task), Turn("assistant", (Step(fixed("".join(step.text for step in steps)), 0),), practised=False)
        ask = unsaid(ask, said) if request is ask.request else ask
    return ask, tuple(turns)


def unsaid(ask: Answers, said: frozenset[int]) -> Answers:
    """The ask less what an exchange said of its request, unless fewer answers were left than are asked for."""
    less = replace(ask, said=ask.said | said)
    return less if len(less.left) >= ask.k else ask


def _request(ask: Answers, rng: Random) -> Request:
    if rng.random() < OUTSIDE_SHARE:
        return outside(rng)
    match rng.random():
        case share if share < _SAME_SHARE:
            return ask.request
        case share if share < _SAME_SHARE + _ALIKE_SHARE:
            return rng.choice(by_topic(ask.request.topic))
        case _:
            return rng.choice(by_topic(rng.choice(TOPICS)))
