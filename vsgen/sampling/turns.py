"""multi-turn: one answer, then another, with everything said so far in view.

Later answers depend on earlier ones, so their shares are no frequencies: all weigh the same.
"""

from __future__ import annotations

from random import Random

from vsgen.errors import CallError
from vsgen.flow import Flow, ask
from vsgen.sampling import prompts
from vsgen.sampling.conversation import answered, instructed, shown
from vsgen.sampling.direct import form, from_answers
from vsgen.sampling.settings import Settings
from vsgen.values import Completion, Distribution, Prompt


def multi_turn(settings: Settings, prompt: Prompt, rng: Random) -> Flow[Distribution]:
    """Ask k times in one conversation; the user's turns are kept as well as the model's."""
    held = form(settings)
    asked = instructed(prompt, prompts.direct(settings.fields, shown=shown(prompt)))
    replies: list[Completion] = []
    for _ in range(settings.sampling.k):
        try:
            reply = yield from ask(settings.generate(asked, rng, **held._asdict()))
        except CallError:
            if not replies:
                raise
            break  # the conversation has outgrown the model; what was said so far counts
        replies.append(reply)
        asked = answered(asked, reply.text, prompts.another(settings.fields))
    return Distribution("uniform", *from_answers(settings, tuple(replies)))
