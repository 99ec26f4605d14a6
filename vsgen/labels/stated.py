"""Method verbalized: the model states the whole distribution, which beats asking for one confidence (arXiv 2511.14275).

It is what a model says about itself: small models say little. Several statements are averaged; one that does not give
every class a number is not read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

from vsgen.flow import Flow, ask_all
from vsgen.labels.orders import in_turn
from vsgen.labels.question import Question, Voice
from vsgen.labels.reading import stated_distribution
from vsgen.labels.settings import Label
from vsgen.labels.words import distribution
from vsgen.probability import logs

_STEP = 0.001


def stated(asked: Question, label: Label, rng: Random) -> Flow[list[Voice]]:
    """One voice for each reply that can be read; what it states is renormalised."""
    listings = in_turn(asked.orders(label.permutations), label.count)
    calls = [label.generate(distribution(asked.text, one), rng, schema=_schema(one)) for one in listings]
    replies = yield from ask_all(calls)
    read = [stated_distribution(reply.text, asked.classes) for reply in replies]
    return [Voice(tuple(logs(values))) for values in read if values is not None]


def _schema(listing: Sequence[str]) -> str:
    number = {"type": "number", "minimum": 0, "maximum": 1, "multipleOf": _STEP}
    properties = dict.fromkeys(listing, number)
    schema = {"type": "object", "properties": properties, "required": list(listing), "additionalProperties": False}
    return json.dumps(schema)
