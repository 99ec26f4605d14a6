"""multi-turn: one answer, then another, with everything said so far in view.

Later answers depend on earlier ones, so their shares are no frequencies: all weigh the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from vsgen.flow import Flow, try_all
from vsgen.sampling import prompts
from vsgen.sampling.conversation import answered, instructed, shown
from vsgen.sampling.direct import form, from_answers
from vsgen.sampling.settings import Settings
from vsgen.values import Completion, Distribution, Prompt, Refused


def multi_turn(settings: Settings, prompt: Prompt, rng: Random) -> Flow[Distribution]:
    """Ask k times in one conversation; the user's turns are kept as well as the model's."""
    held = form(settings)
    asked = instructed(prompt, prompts.direct(settings.fields, shown=shown(prompt)))
    replies: list[Completion | Refused] = []
    for _ in range(settings.sampling.k):
        (reply,) = yield from try_all([settings.generate(asked, rng, **held._asdict())])
        if outgrown(reply, replies):
            break
        replies.append(reply)
        if isinstance(reply, Refused):
            break
        asked = answered(asked, reply.text, prompts.another(settings.fields))
    return Distribution("uniform", *from_answers(settings, replies))


def outgrown(reply: Completion | Refused, before: Sequence[Completion | Refused]) -> bool:
    """Whether a conversation has become too long for the model; what was said before counts as it is."""
    return isinstance(reply, Refused) and reply.why == "too-long" and bool(before)
