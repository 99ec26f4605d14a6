"""direct and cot: k independent replies, each one answer.

Together they are an empirical distribution: every reply weighs 1/k, and equal answers add up when repeats are merged.
On an aligned model this is where mode collapse shows (arXiv 2510.01171, section 3).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from random import Random

from vsgen.flow import Flow, try_all
from vsgen.sampling import prompts, schemas
from vsgen.sampling.conversation import instructed, shown
from vsgen.sampling.replies.parse import Parsed, parse_one, parse_text
from vsgen.sampling.settings import Settings
from vsgen.values import Candidate, Completion, Distribution, Malformed, Prompt, Refused


def direct(settings: Settings, prompt: Prompt, rng: Random) -> Flow[Distribution]:
    """Ask the task itself k times; with a single field the reply is the answer."""
    return (yield from _draw(settings, plain(prompt, settings.fields), form(settings), rng))


def plain(prompt: Prompt, fields: Sequence[str]) -> Prompt:
    """The task as this method asks it, which is how a student and a score see it too."""
    return instructed(prompt, prompts.direct(fields, shown=shown(prompt)))


def written(fields: Mapping[str, object]) -> str:
    """An answer as a reply to the plain task: a single text as it is, all else as JSON."""
    values = list(fields.values())
    if len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return json.dumps(values[0] if len(values) == 1 else dict(fields), ensure_ascii=False)


def form(settings: Settings) -> schemas.Form:
    """What constrains a reply that is one answer: a bare text, or an object where there are several fields."""
    if len(settings.fields) == 1:
        return schemas.Form(pattern=schemas.bare(settings.item_schema))
    return schemas.Form(schemas.one(settings.item_schema, reasoning=False))


def cot(settings: Settings, prompt: Prompt, rng: Random) -> Flow[Distribution]:
    """Ask for reasoning and an answer, k times."""
    form = schemas.Form(schemas.one(settings.item_schema, reasoning=True))
    asked = instructed(prompt, prompts.cot(settings.fields))
    return (yield from _draw(settings, asked, form, rng))


def read_answer(settings: Settings, reply: Completion) -> Parsed:
    """One answer out of a reply, in the form in which this method asks for it."""
    if settings.sampling.method == "cot":
        return parse_one(reply.text, settings.fields, stopped=reply.stopped)
    return read_plain(settings.fields, reply)


def read_plain(fields: Sequence[str], reply: Completion) -> Parsed:
    """The answer of a reply to the plain task, as `written` writes it."""
    if len(fields) == 1:
        return parse_text(reply.text, fields[0], stopped=reply.stopped)
    return parse_one(reply.text, fields, stopped=reply.stopped)


def from_answers(
    settings: Settings, replies: Sequence[Completion | Refused]
) -> tuple[tuple[Candidate, ...], tuple[Malformed, ...]]:
    """The candidates of replies with one answer each, all of equal weight, and the replies without any.

    A reply that was refused has its share too.
    """
    candidates: list[Candidate] = []
    malformed: list[Malformed] = []
    weight = 1 / len(replies)
    for number, reply in enumerate(replies):
        if isinstance(reply, Refused):
            malformed.append(Malformed.of(reply, weight, number))
            continue
        parsed = read_answer(settings, reply)
        if not parsed.items:
            malformed.append(Malformed(reply.text, weight, parsed.problem or "", number))
            continue
        item = parsed.items[0]
        logp = None if settings.sampling.method == "cot" else reply.logp
        candidates.append(Candidate(item.fields, weight, None, logp, parsed.reasoning, item.flags, number))
    return tuple(candidates), tuple(malformed)


def _draw(settings: Settings, asked: Prompt, form: schemas.Form, rng: Random) -> Flow[Distribution]:
    calls = [settings.generate(asked, rng, **form._asdict()) for _ in range(settings.sampling.k)]
    return Distribution("frequency", *from_answers(settings, (yield from try_all(calls))))
