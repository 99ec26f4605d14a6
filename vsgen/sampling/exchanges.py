"""Worked exchanges before the task: an earlier request, answered in the form that the method asks for.

A small model that is shown one such exchange answers in the form, and with answers of the right kind: that counts for
more than any wording (docs/words.md). An example also narrows, so each draw has its own, drawn by the draw's seed. The
exchanges are our own, about things that few datasets are about, or made of the template's `examples`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final, NamedTuple

from vsgen.sampling import prompts
from vsgen.sampling.direct import written
from vsgen.sampling.settings import LISTS, Sampling, Settings
from vsgen.values import Message, Prompt

_DIGITS: Final = 3
"""Decimals of a stated probability, as the form of a reply has them."""


class Exemplar(NamedTuple):
    """One answer of an exchange."""

    fields: Mapping[str, object]
    probability: float | None = None
    reasoning: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its answers."""

    request: str
    answers: tuple[Exemplar, ...]


class _Own(NamedTuple):
    request: str
    reasoning: str
    answers: Mapping[str, float]


BRIEF: Final = (
    _Own(
        "Name a random instrument.",
        "Instruments are bowed, blown, plucked or struck; most people think of a few well-known ones first.",
        {"violin": 0.19, "tuba": 0.04, "guitar": 0.34, "harp": 0.07, "flute": 0.12, "oboe": 0.03, "piano": 0.08,
         "cello": 0.05, "banjo": 0.02, "drum": 0.06},
    ),
    _Own(
        "Name a random vegetable.",
        "Some vegetables are in every kitchen, others only in a few; roots, leaves and pods all count.",
        {"carrot": 0.26, "leek": 0.05, "potato": 0.31, "okra": 0.02, "spinach": 0.11, "beetroot": 0.03, "onion": 0.13,
         "celery": 0.04, "pumpkin": 0.03, "cabbage": 0.02},
    ),
    _Own(
        "Name a random tree.",
        "There are trees of cool forests, of gardens and of warm coasts; the common ones come to mind first.",
        {"maple": 0.17, "oak": 0.37, "larch": 0.04, "willow": 0.09, "pine": 0.16, "cedar": 0.05, "birch": 0.06,
         "baobab": 0.01, "elm": 0.03, "palm": 0.02},
    ),
    _Own(
        "Name a random sport.",
        "Sports are played with balls, on water, on snow or alone; a few of them are named most of the time.",
        {"tennis": 0.18, "rowing": 0.03, "football": 0.33, "judo": 0.05, "swimming": 0.14, "golf": 0.07, "hockey": 0.08,
         "fencing": 0.02, "skiing": 0.06, "archery": 0.04},
    ),
)  # fmt: skip
"""Requests whose answers are a word or two."""

FULL: Final = (
    _Own(
        "Write a sentence about the sea.",
        "A sentence about the sea can be about its mood, its smell, its shore, its work or its animals.",
        {
            "The sea was calm this morning, and nobody was in a hurry.": 0.21,
            "Waves broke against the old pier until long after dark.": 0.13,
            "We could smell the salt before we saw any water.": 0.04,
            "The tide left small shells all along the sand.": 0.18,
            "Gulls circled above the fishing boats.": 0.11,
            "My grandfather never learned to swim, yet he sailed for forty years.": 0.02,
            "A cold wind came in from the sea and rattled the shutters.": 0.09,
            "Far out, a single light moved slowly north.": 0.05,
            "The children built a harbour of stones and mud.": 0.03,
            "After the storm the water was brown and full of branches.": 0.06,
        },
    ),
    _Own(
        "Write a short note to a neighbour about a parcel.",
        "Such a note says where the parcel is, when to come, or asks whose it may be; it is friendly and brief.",
        {
            "Your parcel is with me. Ring any time after six!": 0.24,
            "Hi, the courier left a box for you at our door, and I took it in before the rain.": 0.12,
            "A parcel for you came today. It is heavy, so I can carry it over tonight.": 0.08,
            "Did you order something? There is a package with your name on our stairs.": 0.15,
            "I have your parcel, but I am away until Sunday. Ask my sister at number nine.": 0.05,
            "Somebody opened your parcel by mistake. Nothing is missing, and we are sorry.": 0.02,
            "Your package is behind the blue bin, as you asked.": 0.11,
            "The driver would not leave your box with us. He will try again tomorrow.": 0.06,
            "Good news: the books that you were waiting for are in our hallway.": 0.04,
            "Please fetch your parcel soon, it smells of cheese.": 0.03,
        },
    ),
    _Own(
        "Write one sentence that a gardener might say.",
        "Gardeners talk about weather, soil, pests, harvests and what their neighbours grow.",
        {
            "If it does not rain by Friday, the beans are lost.": 0.16,
            "I moved the roses to the wall, and they have never looked better.": 0.13,
            "Slugs ate every single lettuce overnight.": 0.22,
            "You can have as many courgettes as you can carry.": 0.07,
            "This soil is nothing but clay, so I dug in two barrows of compost.": 0.1,
            "My knees tell me that it is time for raised beds.": 0.03,
            "The first tomatoes are red, three weeks early.": 0.12,
            "Somebody has been feeding my pears to the goats.": 0.01,
            "I never water at noon, the leaves burn.": 0.05,
            "Next year there will be fewer weeds and more coffee.": 0.04,
        },
    ),
)
"""Requests whose answers are a sentence or two."""

_WITHOUT_REASONING = ("direct", "multi-turn", "power", "sequence", "vs", "vs-multi")


def own(settings: Settings, rng: Random) -> list[Exchange]:
    """Exchanges of the package's own, in random order; for a single field only, whose meaning they cannot know.

    An answer's probability is stated as a share of `p_max` where that is asked for, so that it lies below it.
    """
    pool = BRIEF if settings.brief else FULL
    (name,) = settings.names
    scale = settings.sampling.p_max or 1
    return [
        Exchange(
            one.request, tuple(Exemplar({name: text}, p * scale, one.reasoning) for text, p in one.answers.items())
        )
        for one in rng.sample(pool, min(settings.exchanges, len(pool)))
    ]


def demonstrated(prompt: Prompt, how: Sampling, exchanges: Sequence[Exchange], rng: Random) -> Prompt:
    """The prompt with exchanges before its last message.

    Args:
        prompt: The system message, if any, and the task.
        how: The method, whose form the replies take: as many of an exchange's answers as a list has, in their
            order, or one of them, drawn by `rng`. Where no answer has the reasoning that a method asks for, none is
            shown.
        exchanges: Each with at least one answer.
        rng: Draws the answer where one is asked for.
    """
    turns = [
        message
        for one in exchanges
        if (reply := _reply(how, one.answers, rng)) is not None
        for message in (Message("user", one.request), Message("assistant", prompt.prefill + reply))
    ]
    return replace(prompt, messages=(*prompt.messages[:-1], *turns, prompt.messages[-1])) if turns else prompt


def _reply(how: Sampling, answers: Sequence[Exemplar], rng: Random) -> str | None:
    """What a model should have said; None where it would have to reason and no reasoning is known."""
    thoughts = next((one.reasoning for one in answers if one.reasoning), None)
    if how.method not in _WITHOUT_REASONING and thoughts is None:
        return None
    if how.method not in LISTS:
        return _single(how, rng.choice(answers), thoughts)
    size = how.turns[0] if how.method == "vs-multi" else how.k
    listed = answers[:size]
    stating = how.method != "sequence"
    shares = [_stated(one, listed) for one in listed]
    if how.format == "lines":
        texts = [next(iter(one.fields.values())) for one in listed]
        tails = [f" ({share:g})" if stating else "" for share in shares]
        return "\n".join(f"{i}. {text}{tail}" for i, (text, tail) in enumerate(zip(texts, tails, strict=True), 1))
    items = [
        {**one.fields, prompts.PROBABILITY: share} if stating else one.fields
        for one, share in zip(listed, shares, strict=True)
    ]
    thought = {prompts.REASONING: thoughts} if how.method == "vs-cot" else {}
    return json.dumps({**thought, prompts.RESPONSES: items}, ensure_ascii=False)


def _single(how: Sampling, answer: Exemplar, thoughts: str | None) -> str:
    if how.method == "cot":
        return json.dumps({prompts.REASONING: answer.reasoning or thoughts, **answer.fields}, ensure_ascii=False)
    return written(answer.fields)


def _stated(answer: Exemplar, listed: Sequence[Exemplar]) -> float:
    """An example without a probability has an equal share; none is stated as 0."""
    p = answer.probability
    return max(round(1 / len(listed) if p is None else p, _DIGITS), 10**-_DIGITS)
