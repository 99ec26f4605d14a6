"""Method reasoning: P(class | text) as the mean over traces z of P(class | text, z).

The mean is unbiased and never worse than counting the traces' answers, by Rao-Blackwell. One trace's own probabilities
are not the label: they are sure of what the trace has just concluded. A trace that a limit cuts counts as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from vsgen.flow import Flow, ask_all, error_of, try_all
from vsgen.labels.orders import in_turn, restored
from vsgen.labels.question import Question, Voice
from vsgen.labels.reading import without_tags
from vsgen.labels.scored import bounded, mass_of
from vsgen.labels.settings import Label
from vsgen.labels.styles import in_styles
from vsgen.labels.words import conclude, think
from vsgen.values import Prompt, Score, Scores

_SHORTER = 0.9
"""The most that is kept of a trace that is too long."""


def reasoned(asked: Question, label: Label, rng: Random) -> Flow[list[Voice]]:
    """One voice for each trace; the traces take turns with the styles, and with the orders of the classes."""
    ways = in_styles(label.ways, label.count)
    listings = in_turn(asked.orders(label.permutations), label.count, each=len(label.ways))
    thinking = [think(asked.text, listing, way) for listing, way in zip(listings, ways, strict=True)]
    traces = yield from ask_all([label.generate(prompt, rng) for prompt in thinking])
    texts, whole = [without_tags(trace.text) for trace in traces], [trace.stopped for trace in traces]
    scores = yield from _concluded(thinking, texts, whole, listings)
    return [
        _voice(one, listing, asked.classes, cut=not complete)._replace(style=way)
        for one, complete, listing, way in zip(scores, whole, listings, ways, strict=True)
    ]


def _voice(scores: Scores, listing: Sequence[str], classes: Sequence[str], *, cut: bool) -> Voice:
    voice = Voice(restored(scores.logp, listing, classes), mass_of(scores), cut=cut)
    return bounded(voice, scores, listing, classes) if scores.upper else voice


def _concluded(
    thinking: Sequence[Prompt], texts: list[str], whole: list[bool], listings: Sequence[tuple[str, ...]]
) -> Flow[Sequence[Scores]]:
    """The classes' scores after each trace; a trace that leaves no room for the conclusion loses its end."""
    found: dict[int, Scores] = {}
    while open_ := [i for i in range(len(texts)) if i not in found]:
        calls = [Score(conclude(thinking[i], texts[i], listings[i]), listings[i]) for i in open_]
        for i, answer in zip(open_, (yield from try_all(calls)), strict=True):
            if isinstance(answer, Scores):
                found[i] = answer
            elif answer.why != "too-long" or not texts[i]:
                raise error_of(answer)
            else:
                share = min(_SHORTER, answer.context / answer.tokens)
                texts[i] = texts[i][: int(share * len(texts[i]))]
                whole[i] = False
    return [found[i] for i in range(len(texts))]
