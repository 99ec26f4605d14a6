"""sequence, vs, vs-cot, vs-multi: several answers in one reply.

Verbalized sampling (arXiv 2510.01171) asks for a distribution of answers with their probabilities instead of one
answer: the typical reply to that is the distribution that the model has learnt, not its mode. sequence is its baseline,
the list without the probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from random import Random

from vsgen.flow import Flow, try_all
from vsgen.sampling import prompts, schemas
from vsgen.sampling.conversation import answered, instructed
from vsgen.sampling.replies.items import NO_JSON, NOT_WHOLE
from vsgen.sampling.replies.parse import Item, Parsed, parse_list, weigh
from vsgen.sampling.settings import Settings
from vsgen.sampling.turns import outgrown
from vsgen.values import Basis, Candidate, Completion, Distribution, Malformed, Prompt, Refused


def sequence(settings: Settings, prompt: Prompt, rng: Random) -> Flow[Distribution]:
    """Ask for k different answers; all weigh the same."""
    how = settings.sampling
    asked = instructed(prompt, prompts.sequence(settings.names, how.k, form=how.format))
    form = _form(settings, how.k, verbalized=False)
    replies = yield from try_all([settings.generate(asked, rng, **form._asdict())])
    return _distribution(settings, replies, [how.k], "uniform")


def verbalized(settings: Settings, prompt: Prompt, rng: Random) -> Flow[Distribution]:
    """Ask for k answers and their probabilities; vs-cot for the model's thoughts on the range of answers first."""
    k = settings.sampling.k
    asked = instructed(prompt, _words(settings, k))
    replies = yield from try_all([settings.generate(asked, rng, **_form(settings, k)._asdict())])
    return _distribution(settings, replies, [k], "verbalized")


def verbalized_turns(settings: Settings, prompt: Prompt, rng: Random) -> Flow[Distribution]:
    """Announce k answers, and ask for them a few a turn, with the whole conversation in view."""
    turns = settings.sampling.turns
    asked = instructed(prompt, _words(settings, turns[0], total=settings.sampling.k))
    replies: list[Completion | Refused] = []
    for size, following in zip(turns, (*turns[1:], 0), strict=True):
        (reply,) = yield from try_all([settings.generate(asked, rng, **_form(settings, size)._asdict())])
        if outgrown(reply, replies):
            break
        replies.append(reply)
        if isinstance(reply, Refused):
            break
        asked = answered(asked, reply.text, prompts.more(following))
    return _distribution(settings, replies, turns[: len(replies)], "verbalized")


@lru_cache(maxsize=64)
def _words(settings: Settings, k: int, total: int | None = None) -> str:
    how = settings.sampling
    reasoning = how.method == "vs-cot"
    return prompts.verbalized(settings.names, k, p_max=how.p_max, reasoning=reasoning, total=total, form=how.format)


@lru_cache(maxsize=64)
def _form(settings: Settings, k: int, *, verbalized: bool = True) -> schemas.Form:
    """What constrains a reply of k answers."""
    how, item = settings.sampling, settings.named_schema
    if how.format == "lines":
        return schemas.Form(pattern=schemas.lines(item, k, verbalized=verbalized))
    reasoning = how.method == "vs-cot"
    return schemas.Form(schemas.many(item, k, verbalized=verbalized, p_max=how.p_max, reasoning=reasoning))


def _distribution(
    settings: Settings, replies: Sequence[Completion | Refused], sizes: Sequence[int], basis: Basis
) -> Distribution:
    """Pool what the replies hold; one without answers, or refused, keeps the share of those that were asked of it.

    An answer that is lost in a reply with others keeps its own share, as if it had been read.
    """
    parsed = [_read(settings, one, stated=basis == "verbalized") for one in replies]
    unread = {i: sizes[i] / sum(sizes) for i, read in enumerate(parsed) if not read.items}
    malformed = [_lost(replies[i], share, parsed[i].problem or "", i) for i, share in unread.items()]
    found = [(i, one) for i, read in enumerate(parsed) for one in read.all]
    left = 1 - sum(unread.values())
    shares = [left * weight for weight in _weights([one.verbalized for _, one in found], basis)]
    candidates = []
    for (i, one), share in zip(found, shares, strict=True):
        if isinstance(one, Item):
            candidates.append(_candidate(settings, parsed[i], i, one, share))
        else:
            malformed.append(Malformed(one.raw, share, NOT_WHOLE, i, verbalized=one.verbalized))
    return Distribution(basis, tuple(candidates), tuple(malformed))


def _read(settings: Settings, reply: Completion | Refused, *, stated: bool) -> Parsed:
    if isinstance(reply, Refused):
        return Parsed(problem=reply.problem)
    return parse_list(reply.text, settings.names, stopped=reply.stopped, verbalized=stated)


def _lost(reply: Completion | Refused, share: float, problem: str, number: int) -> Malformed:
    if isinstance(reply, Refused):
        return Malformed.of(reply, share, number)
    return Malformed(reply.text, share, problem, number)


def _weights(stated: Sequence[float | None], basis: Basis) -> Sequence[float]:
    return weigh(stated) if basis == "verbalized" else [1 / len(stated) for _ in stated]


def _candidate(settings: Settings, read: Parsed, reply: int, item: Item, weight: float) -> Candidate:
    fields = item.fields if settings.key is None else dict(zip(settings.fields, item.fields.values(), strict=False))
    flags = item.flags
    if flags and settings.sampling.format == "lines":
        flags = tuple(flag for flag in flags if flag != NO_JSON)  # as was asked
    return Candidate(fields, weight, item.verbalized, None, read.reasoning, flags, reply)
