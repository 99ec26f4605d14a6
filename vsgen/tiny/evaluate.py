"""``python -m vsgen.tiny.evaluate``: the gates of the embedded model, and what else is known of it.

Gates are taken on prompts that were never trained on, half of them new combinations of trained words and half patterns
never seen. The further figures have no bound. Exit status 1 if a gate is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Final

from vsgen.tiny import WEIGHTS
from vsgen.tiny.asks import Answers
from vsgen.tiny.gates import WORDINGS, asks, form, gates
from vsgen.tiny.grammar import quizzes
from vsgen.tiny.grammar.tasks import TOPICS, by_topic, questions
from vsgen.tiny.grammar.wordings import Split
from vsgen.tiny.measure import (
    ALPHA,
    DRAWS,
    HELD,
    Figure,
    accuracy,
    agreement,
    chains,
    classification,
    collapses,
    direct,
    hasty,
    in_own_words,
    lists,
    on_topic,
    powered,
    share,
    stories,
    topical,
    truth,
    variety,
    worked,
)
from vsgen.tiny.subject import Subject

GATED: Final = 200
"""Calls, texts or problems behind a gate."""
LENGTHS: Final = (1, 2, 4, 6, 8, 12, 16)
"""Steps of the natural sums that are reported."""


def report(measured: Iterable[Figure]) -> bool:
    """Print figures as they come; whether all gates among them are held."""
    held = True
    for one in measured:
        bounds = [f">= {one.at_least:g}"] if one.at_least is not None else []
        bounds += [f"<= {one.at_most:g}"] if one.at_most is not None else []
        verdict = ("ok" if one.held else "MISSED") if bounds else ""
        sys.stdout.write(
            f"{one.name:<60} {one.value:7.3f}  n={one.n:<5} {' '.join(bounds):<18} {verdict}".rstrip() + "\n"
        )
        sys.stdout.flush()
        held &= one.held
    return held


def further(folder: Path, n: int) -> Iterator[Figure]:
    """What has no gate."""
    subject = Subject(folder)
    yield from _splits(subject, n)
    yield from _forms(subject, n)
    yield from _variety(subject)
    yield from _positions(subject, n)
    yield from _engineered(subject, n)
    yield from _natural(subject, n // 2)


def _splits(subject: Subject, n: int) -> Iterator[Figure]:
    """What is gated over both held-out splits together, for each by itself."""
    for split in HELD:
        correlation, off, size = agreement(lists(subject, asks(n, topics=("closed",), seed=2, ks=(3, 4, 5)), (split,)))
        yield Figure(f"{split} words: stated p, log-correlation", correlation, size)
        yield Figure(f"{split} words: stated p, mean |ln ratio|", off, size)
        kl = collapses(subject, split, WORDINGS[split])
        yield Figure(f"{split} words: KL(p^gamma || direct), nats, mean", sum(kl) / len(kl), len(kl))
        yield Figure(f"{split} words: KL(p^gamma || direct), nats, worst", max(kl), len(kl))
        for question in questions():
            distances = [one for one, _ in classification(subject, question, n, (split,))]
            yield Figure(f"{split} words: class of a {question.topic}, total variation", sum(distances) / n, n)
        hits = topical(lists(subject, asks(n), (split,)))
        yield Figure(f"{split} words: verbalized answer on topic", share(hits), len(hits))
        requests = [ask.request for ask in asks(n, seed=4)]
        said = zip(requests, direct(subject, requests, (split,)), strict=True)
        yield Figure(f"{split} words: direct answer on topic", share(on_topic(*one) for one in said), n)


def _forms(subject: Subject, n: int) -> Iterator[Figure]:
    splits: tuple[Split, ...] = ("shipped", "combined", "new")
    for split in splits:
        yield from form(f"vs, {split} words", lists(subject, asks(n), (split,)))
    yield from form("vs, p_max 0.1", lists(subject, [replace(ask, p_max=0.1) for ask in asks(n)], HELD))
    yield from form("vs, k 6 to 10", lists(subject, asks(n, ks=(6, 7, 8, 9, 10)), HELD))
    yield from form("vs, field item", lists(subject, [replace(ask, field="item") for ask in asks(n)], HELD))
    yield from form("vs-cot", lists(subject, [replace(ask, form="vs-cot") for ask in asks(n)], HELD))
    yield from form("vs-multi, second turn", lists(subject, asks(n, ks=(2, 3)), HELD, turns=2))
    for kind in ("vs", "sequence"):
        found = [replace(ask, form=kind, lines=True) for ask in asks(n)]
        yield from form(f"{kind}, numbered lines", lists(subject, found, HELD))
    for name, numbered in (("JSON", False), ("numbered lines", True)):
        calls = lists(subject, [replace(ask, lines=numbered) for ask in asks(n)], HELD, shown=True)
        yield from form(f"vs after worked exchanges, {name}", calls)
        yield Figure(f"vs after worked exchanges, {name}: on topic", share(topical(calls)), n)
    yield from form("sequence", lists(subject, [replace(ask, form="sequence") for ask in asks(n)], HELD))
    for bare, split in product((False, True), HELD):
        own = [replace(ask, bare=bare) for ask in asks(n)]
        name = "a bare list" if bare else "an object"
        yield from form(f"a user's JSON, {name}, {split} words", in_own_words(subject, own, (split,)))


def _variety(subject: Subject) -> Iterator[Figure]:
    for request in (*by_topic("closed"), *(by_topic(topic)[0] for topic in TOPICS[1:])):
        name = request.keys["thing"] if request.topic == "closed" else f"one {request.topic}"
        single, spread = variety(subject, request, ("shipped",))
        yield Figure(f"{name}: different in 100, direct", single, 100)
        yield Figure(f"{name}: different in 100, verbalized", spread, 100)


def _positions(subject: Subject, n: int) -> Iterator[Figure]:
    requests = [by_topic("quiz")[i % len(by_topic("quiz"))] for i in range(n)]
    said = direct(subject, requests, ("shipped",))
    spread = lists(subject, [Answers(request, "vs", 5) for request in requests[: n // 4]], ("shipped",))
    texts = [text for one in spread for text in one.texts]
    for letter, true in zip(quizzes.CLASSES, quizzes.POSITION, strict=True):
        yield Figure(
            f"quiz: right option at {letter} (p: {true:g}), direct", share(text.endswith(letter) for text in said), n
        )
        yield Figure(
            f"quiz: right option at {letter} (p: {true:g}), verbalized",
            share(t.endswith(letter) for t in texts),
            len(texts),
        )


def _engineered(subject: Subject, n: int) -> Iterator[Figure]:
    found = stories(n)
    for name, temperature in (("T=1", 1.0), ("T=1/4", 0.25), ("greedy", 0.0)):
        replies = worked(subject, found, HELD, temperature)
        yield Figure(f"engineered sums: accuracy at {name}", accuracy(replies), n)
        yield Figure(f"engineered sums: hasty at {name}", share(hasty(text) for _, text in replies), n)
    power, size = powered(subject, found[: n // 2], HELD)
    yield Figure(f"engineered sums: accuracy under p^{ALPHA:g}", power, n // 2)
    yield Figure(f"engineered sums: effective draws behind it, of {DRAWS}", size, n // 2)
    for name, alpha in (("p", 1.0), (f"p^{ALPHA:g}", ALPHA)):
        hits, guesses = zip(*(truth(ask, alpha) for ask in found), strict=True)
        yield Figure(f"engineered sums: accuracy, truth under {name}", sum(hits) / n, n)
        yield Figure(f"engineered sums: hasty, truth under {name}", sum(guesses) / n, n)


def _natural(subject: Subject, n: int) -> Iterator[Figure]:
    for hard, length in product((False, True), LENGTHS):
        found = chains(n, length, hard=hard)
        name = f"natural sums, {'hard' if hard else 'easy'}, {length} steps"
        yield Figure(f"{name}: accuracy at T=1", accuracy(worked(subject, found, HELD)), n)
        yield Figure(f"{name}: accuracy at greedy", accuracy(worked(subject, found, HELD, 0.0)), n)
        few = found[: max(n // 4, 1)]
        yield Figure(f"{name}: accuracy under p^{ALPHA:g}", powered(subject, few, HELD)[0], len(few))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("-n", type=int, default=GATED, help="calls, texts or problems per figure")
    parser.add_argument("--gates", action="store_true", help="leave the further figures out")
    options = parser.parse_args(arguments)
    held = report(gates(options.weights, options.n))
    if not options.gates:
        report(further(options.weights, options.n))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
