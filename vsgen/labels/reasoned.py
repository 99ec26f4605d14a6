"""Method reasoning: P(class | text) as the mean over traces z of P(class | text, z).

The mean is unbiased and never worse than counting the traces' answers, by Rao-Blackwell. One trace's own probabilities
are not the label: they are sure of what the trace has just concluded. A trace that the limit cuts counts as it stands.
"""

from __future__ import annotations

from random import Random

from vsgen.flow import Flow, ask_all
from vsgen.labels.orders import orders, restored
from vsgen.labels.reading import without_tags
from vsgen.labels.scored import mass_of
from vsgen.labels.settings import How, Question, Voice
from vsgen.labels.words import conclude, think
from vsgen.values import Generate, Score


def reasoned(asked: Question, how: How, rng: Random) -> Flow[list[Voice]]:
    """One voice for each trace; the traces take turns with the orders of the classes."""
    rotations = orders(asked.classes, how.orders)
    listings = [rotations[i % len(rotations)] for i in range(how.replies)]
    thinking = [think(asked.text, listing) for listing in listings]
    traces = yield from ask_all(
        [
            Generate(prompt, rng.getrandbits(63), temperature=how.temperature, max_tokens=how.max_tokens)
            for prompt in thinking
        ]
    )
    scores = yield from ask_all(
        [
            Score(conclude(prompt, without_tags(trace.text), listing), listing)
            for prompt, trace, listing in zip(thinking, traces, listings, strict=True)
        ]
    )
    return [
        Voice(restored(one.logp, listing, asked.classes), mass_of(one), cut=not trace.stopped)
        for one, trace, listing in zip(scores, traces, listings, strict=True)
    ]
