"""Repair: an answer that does not fit is asked for once more, with the reason in words.

One more call with the reason does better than drawing anew (arXiv 2606.11127). The conversation goes on from the task
itself, whatever method drew the answer: the answer stands as the model's reply in its direct form, the request stands
after the reason once more (what stands last is what a small model heeds), and the new reply is read as one answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from vsgen.sampling import prompts
from vsgen.sampling.conversation import answered, instructed
from vsgen.sampling.direct import form, read_plain, written
from vsgen.sampling.replies.parse import Item
from vsgen.sampling.settings import Settings
from vsgen.values import Completion, Generate, Prompt


def opened(settings: Settings, task: Prompt) -> Prompt:
    """The task as it would be asked for one answer: where a conversation about an answer begins."""
    return instructed(task, prompts.direct(settings.fields))


def again(settings: Settings, talk: Prompt, fields: Mapping[str, object], problem: str) -> Prompt:
    """The conversation gone on: the answer, and what is wrong with it.

    Args:
        settings: Of the method that drew it.
        talk: The conversation so far.
        fields: The answer.
        problem: Why it does not fit, in words.
    """
    request = next(message.content for message in talk.messages if message.role == "user")
    return answered(talk, written(fields), f"{words(settings, problem)}\n\n{request}")


def words(settings: Settings, problem: str) -> str:
    """What is said of an answer that does not fit."""
    only = settings.fields[0] if len(settings.fields) == 1 else ""
    return prompts.again(settings.fields, problem.removeprefix(f"{only}: "))


def call(settings: Settings, talk: Prompt, rng: Random) -> Generate:
    """The call that asks for the answer again, with a seed of its own from `rng`."""
    return settings.generate(talk, rng, **form(settings)._asdict())


def read(settings: Settings, reply: Completion) -> Item | None:
    """The one answer of a reply; None if it holds none."""
    return next(iter(read_plain(settings.fields, reply).items), None)
