"""What the embedded model must hold, on prompts that were never trained on, before its weights are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Final

from vsgen.tiny.asks import Answers
from vsgen.tiny.grammar import sums
from vsgen.tiny.grammar.tasks import TOPICS, by_topic, questions
from vsgen.tiny.grammar.wordings import Split
from vsgen.tiny.measure import (
    ALPHA,
    DRAWS,
    HELD,
    Asked,
    Figure,
    accuracy,
    agreement,
    chains,
    classification,
    collapses,
    direct,
    lists,
    on_topic,
    powered,
    share,
    stories,
    topical,
    variety,
    worked,
)
from vsgen.tiny.subject import Subject

NATURAL_LENGTH: Final = 12
"""Steps of the natural sums that are gated."""
NATURAL_HARD: Final = True
"""Whether they have operands of three digits."""
TRIES: Final = 4
"""Replies at T=1 per natural sum; as many sums as under p^alpha, so that both meet the same ones."""
WORDINGS: Final[dict[Split, int]] = {"combined": 6, "new": 3}
"""Held-out wordings in which each closed set's collapse is measured."""


def gates(folder: Path, n: int) -> Iterator[Figure]:
    """All gates of the weights in `folder`, with `n` calls or texts behind each, and n // 2 sums under p^alpha.

    One figure has no bound: the effective sample size (of `DRAWS`) that stands behind p^alpha.
    """
    subject = Subject(folder)
    yield from _verbalized(subject, n)
    yield from _collapse(subject)
    yield from _classes(subject, n)
    yield from _on_topic(subject, n)
    yield from _sums(subject, n)


def asks(
    n: int, *, topics: Sequence[str] = TOPICS, seed: int = 1, ks: Sequence[int] = (1, 2, 3, 4, 5)
) -> list[Answers]:
    """Verbalized asks over the topics in turn, two of each so that both held-out splits meet it; k drawn from `ks`."""
    rng = Random(seed)
    turns = (topics[i // 2 % len(topics)] for i in range(n))
    return [Answers(rng.choice(by_topic(topic)), "vs", rng.choice(ks)) for topic in turns]


def form(
    name: str, calls: Sequence[Asked], *, parses: float | None = None, counts: float | None = None
) -> Iterator[Figure]:
    """What of the form is kept, of all calls; bounds where given."""
    n = len(calls)
    yield Figure(f"{name}: reply parses", share(one.answers is not None for one in calls), n, parses)
    yield Figure(f"{name}: has exactly k", share(one.exact for one in calls), n, counts)
    yield Figure(f"{name}: has no repeats", share(one.distinct for one in calls), n, counts)


def _verbalized(subject: Subject, n: int) -> Iterator[Figure]:
    yield from form("vs", lists(subject, asks(2 * n), HELD), parses=0.98, counts=0.90)
    calls = lists(subject, asks(n, topics=("closed",), seed=2, ks=(3, 4, 5)), HELD)
    correlation, off, answers = agreement(calls)
    yield Figure("closed sets: stated p, log-correlation", correlation, answers, 0.97)
    yield Figure("closed sets: stated p, mean |ln ratio|", off, answers, at_most=0.10)


def _collapse(subject: Subject) -> Iterator[Figure]:
    off = [one for split, each in WORDINGS.items() for one in collapses(subject, split, each)]
    yield Figure("closed sets: KL(p^gamma || direct), nats", sum(off) / len(off), len(off), at_most=0.05)
    ratios = [spread / single for single, spread in (variety(subject, r, HELD) for r in by_topic("closed"))]
    yield Figure("closed sets: unique in 100, verbalized / direct", sum(ratios) / len(ratios), len(ratios), 2.5)


def _classes(subject: Subject, n: int) -> Iterator[Figure]:
    for question in questions():
        off = [distance for distance, _ in classification(subject, question, n, HELD)]
        yield Figure(f"class of a {question.topic}: total variation to the posterior", sum(off) / n, n, at_most=0.10)


def _on_topic(subject: Subject, n: int) -> Iterator[Figure]:
    for topic in TOPICS:
        calls = lists(subject, asks(n // 2, topics=(topic,), seed=3), HELD)
        hits = topical(calls)
        yield Figure(f"{topic}: verbalized answer on topic", share(hits), len(hits), 0.95)
        requests = [ask.request for ask in asks(n, topics=(topic,), seed=4)]
        said = zip(requests, direct(subject, requests, HELD), strict=True)
        yield Figure(f"{topic}: direct answer on topic", share(on_topic(*one) for one in said), n, 0.95)


def _sums(subject: Subject, n: int) -> Iterator[Figure]:
    steps = [step for _, text in worked(subject, stories(2 * n), HELD) for step in sums.steps(text)]
    yield Figure("engineered sums: worked step right", share(steps), len(steps), 0.90)
    found = chains(n // 2, NATURAL_LENGTH, hard=NATURAL_HARD)
    replies = worked(subject, found, HELD, draws=TRIES)
    steps = [step for _, text in replies for step in sums.steps(text)]
    plain, (power, size) = accuracy(replies), powered(subject, found, HELD)
    yield Figure("natural sums: worked step right", share(steps), len(steps), 0.90)
    yield Figure("natural sums: accuracy at T=1", plain, len(found), 0.35, 0.75)
    yield Figure(f"natural sums: accuracy under p^{ALPHA:g}, less T=1", power - plain, len(found), 0.15)
    yield Figure(f"natural sums: effective draws behind it, of {DRAWS}", size, len(found))
