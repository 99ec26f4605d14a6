"""``python -m vsgen.tiny.evaluate``: what the embedded model does, measured against the grammar it was trained on.

Free decoding at temperature 1, with the shipped templates' wordings unless a line says otherwise; every figure with
its n. Replies are read strictly (`json.loads`): what a tolerant parser could save counts as a failure here.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

import numpy as np

from vsgen.sampling import prompts
from vsgen.tiny import WEIGHTS, chat
from vsgen.tiny.chat import Turn
from vsgen.tiny.grammar.source import head_probs, read
from vsgen.tiny.grammar.tasks import Question, Request, by_topic, questions, requests
from vsgen.tiny.subject import Subject

Answer: TypeAlias = tuple[str, float]
"""A text and the probability that was stated for it; 0 where none was asked."""

TOPICS: Final = ("closed", "ticket", "review", "joke", "story")
FORMATS: Final[dict[str, Callable[[Request, Random], tuple[Turn, ...]]]] = {
    "vs, p_max 0.1": lambda request, rng: chat.vs(request, rng, 3, p_max=0.1, reasoning=False),
    "vs, k 6 to 8": lambda request, rng: chat.vs(request, rng, rng.randint(6, 8), p_max=None, reasoning=False),
    "vs, k 10 (never trained)": lambda request, rng: chat.vs(request, rng, 10, p_max=None, reasoning=False),
    "vs-cot": lambda request, rng: chat.vs(request, rng, rng.randint(2, 5), p_max=None, reasoning=True),
    "vs-multi, second turn": lambda request, rng: chat.vs_multi(request, rng, 3, 2),
    "sequence": lambda request, rng: chat.sequence(request, rng, rng.randint(2, 5)),
}
"""Conversations whose last reply the model writes instead."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value."""

    name: str
    value: float
    n: int


@dataclass(frozen=True, slots=True)
class Asked:
    """One call for several answers, and the reply to it."""

    request: Request
    k: int
    before: tuple[str, ...]
    """Answers of earlier turns."""
    answers: tuple[Answer, ...] | None
    """None if the reply could not be read."""

    @property
    def texts(self) -> list[str]:
        """The answers without their probabilities."""
        return [text for text, _ in self.answers or ()]

    @property
    def distinct(self) -> bool:
        """No answer occurs twice, earlier turns included."""
        return len({*self.texts, *self.before}) == len(self.texts) + len(self.before)


def answers(reply: str) -> tuple[Answer, ...] | None:
    """The answers in a JSON reply; None if it is not one."""
    try:
        items = json.loads(reply)[prompts.RESPONSES]
        return tuple((str(one["text"]), float(one.get(prompts.PROBABILITY, 0))) for one in items)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def call(subject: Subject, talks: Sequence[tuple[Request, tuple[Turn, ...]]]) -> list[Asked]:
    """Let the model write the last reply of each conversation, whose own last reply says how many answers are asked."""
    replies = subject.replies([subject.chat(turns[:-1]) for _, turns in talks])
    return [_asked(request, turns, reply) for (request, turns), reply in zip(talks, replies, strict=True)]


def _asked(request: Request, turns: Sequence[Turn], reply: str) -> Asked:
    earlier = [answers(turn.text) or () for turn in turns[:-1] if turn.speaker == "assistant"]
    before = tuple(text for part in earlier for text, _ in part)
    return Asked(request, len(answers(turns[-1].text) or ()), before, answers(reply))


def verbalized(subject: Subject, asked: Sequence[tuple[Request, int]]) -> list[Asked]:
    """Ask each request once, in the shipped wording, for k answers with probabilities."""
    rng = Random(0)
    return call(subject, [(r, chat.vs(shipped(r), rng, k, p_max=None, reasoning=False)) for r, k in asked])


def shipped(request: Request) -> Request:
    """The request in the shipped template's wording alone."""
    return replace(request, wordings=dict([next(iter(request.wordings.items()))]))


def direct(subject: Subject, asked: Sequence[Request]) -> list[str]:
    """One direct answer to each request."""
    rng = Random(0)
    return subject.replies([subject.chat(chat.direct(shipped(request), rng)[:-1]) for request in asked])


def on_topic(request: Request, text: str) -> bool:
    """Names the product, animal or place that was asked for, or is in the closed set."""
    if request.topic == "closed":
        return text in request.source.heads.texts
    return any(request.keys[key] in text for key in ("product", "animal", "spot") if key in request.keys)


def form(name: str, calls: Sequence[Asked]) -> Iterator[Figure]:
    """What of the form is kept."""
    parsed = [one for one in calls if one.answers is not None]
    yield Figure(f"{name}: reply parses", len(parsed) / len(calls), len(calls))
    yield Figure(f"{name}: has exactly k", _share(len(one.texts) == one.k for one in parsed), len(parsed))
    yield Figure(f"{name}: has no repeats", _share(one.distinct for one in parsed), len(parsed))


def content(name: str, calls: Sequence[Asked]) -> Iterator[Figure]:
    """Whether the answers fit the request, and the stated probabilities the grammar."""
    texts = [(one.request, text) for one in calls for text in one.texts]
    yield Figure(f"{name}: text on topic", _share(on_topic(*one) for one in texts), len(texts))
    possible = _share(read(request.source, text) is not None for request, text in texts)
    yield Figure(f"{name}: text possible in the grammar", possible, len(texts))
    pairs = [pair for one in calls for answer in one.answers or () for pair in _log_pair(one.request, answer)]
    said, true = np.array(pairs).T
    yield Figure(f"{name}: stated p, log-correlation", float(np.corrcoef(said, true)[0, 1]), len(pairs))
    yield Figure(f"{name}: stated p, mean |log-ratio|", float(np.abs(said - true).mean()), len(pairs))


def _log_pair(request: Request, answer: Answer) -> Iterator[tuple[float, float]]:
    """(ln stated, ln true) where both exist; the truth rounded as replies are."""
    found = read(request.source, answer[0])
    if found is not None and answer[1] > 0:
        yield math.log(answer[1]), math.log(float(chat.stated(head_probs(request.source)[found.head])))


def verbalized_figures(subject: Subject, n: int) -> Iterator[Figure]:
    """Form and content by topic, k from 1 to 5."""
    rng = Random(1)
    for topic in TOPICS:
        calls = verbalized(subject, [(rng.choice(by_topic(topic)), rng.randint(1, 5)) for _ in range(n)])
        yield from form(topic, calls)
        yield from content(topic, calls)


def format_figures(subject: Subject, n: int) -> Iterator[Figure]:
    """Form in the other formats, over all topics and wordings."""
    rng = Random(4)
    for name, talk in FORMATS.items():
        asked = [rng.choice(by_topic(rng.choice(TOPICS))) for _ in range(n)]
        yield from form(name, call(subject, [(request, talk(request, rng)) for request in asked]))


def collapse_figures(subject: Subject) -> Iterator[Figure]:
    """Direct answers on closed sets against p^gamma, exactly."""
    off = [_sharpened_divergence(subject, request) for request in by_topic("closed")]
    yield Figure("closed: KL(p^gamma || direct), mean", sum(off) / len(off), len(off))
    yield Figure("closed: KL(p^gamma || direct), worst", max(off), len(off))


def variety_figures(subject: Subject, asked: Sequence[Request]) -> Iterator[Figure]:
    """How many of about 100 answers differ: 100 direct ones, and 20 verbalized calls for 5."""
    for request in asked:
        name = request.keys["thing"] if request.topic == "closed" else f"one {request.topic}"
        spread = [text for one in verbalized(subject, [(request, 5)] * 20) for text in one.texts]
        yield Figure(f"{name}: different answers, direct", len(set(direct(subject, [request] * 100))), 100)
        yield Figure(f"{name}: different answers, verbalized", len(set(spread)), len(spread))


def _sharpened_divergence(subject: Subject, request: Request) -> float:
    sharp = [p**chat.GAMMA for p in head_probs(request.source)]
    true = [s / sum(sharp) for s in sharp]
    prompt = subject.chat(chat.direct(shipped(request), Random(0))[:-1])
    said = subject.probs(prompt, request.source.heads.texts)
    return math.fsum(p * math.log(p / q) for p, q in zip(true, said, strict=True))


def direct_figures(subject: Subject, n: int) -> Iterator[Figure]:
    """Direct answers to open requests."""
    rng = Random(2)
    asked = [rng.choice([request for request in requests() if request.topic != "closed"]) for _ in range(n)]
    said = list(zip(asked, direct(subject, asked), strict=True))
    yield Figure("open: direct answer on topic", _share(on_topic(*one) for one in said), n)
    possible = _share(read(request.source, text) is not None for request, text in said)
    yield Figure("open: direct answer possible in the grammar", possible, n)


def classification_figures(subject: Subject, n: int) -> Iterator[Figure]:
    """The classes' exact probabilities against the true posterior."""
    for question in questions():
        rng = Random(3)
        found = [_classified(subject, question, rng) for _ in range(n)]
        yield Figure(f"{question.topic}: total variation to the posterior", sum(tv for tv, _, _ in found) / n, n)
        yield Figure(f"{question.topic}: most likely class agrees", _share(agrees for _, agrees, _ in found), n)
        yield Figure(f"{question.topic}: mass on the classes", sum(mass for _, _, mass in found) / n, n)


def _classified(subject: Subject, question: Question, rng: Random) -> tuple[float, bool, float]:
    """(total variation, same most likely class, mass on the classes) of one text."""
    user, reply = chat.classify(question, rng)
    true = reply.content[0].probs
    said = subject.probs(subject.chat([user]), question.classes)
    distance = sum(abs(q / sum(said) - p) for q, p in zip(said, true, strict=True)) / 2
    return distance, said.index(max(said)) == true.index(max(true)), sum(said)


def _share(hits: Iterable[bool]) -> float:
    found = list(hits)
    return sum(found) / max(len(found), 1)


def figures(folder: Path, n: int) -> Iterator[Figure]:
    """All figures of the weights in `folder`; `n` calls or texts per figure."""
    subject = Subject(folder)
    yield from classification_figures(subject, n)
    yield from verbalized_figures(subject, n)
    yield from format_figures(subject, n)
    yield from direct_figures(subject, n)
    yield from collapse_figures(subject)
    yield from variety_figures(subject, [*by_topic("closed"), *(by_topic(topic)[0] for topic in TOPICS[1:])])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("-n", type=int, default=200, help="calls or texts per figure")
    options = parser.parse_args(arguments)
    for figure in figures(options.weights, options.n):
        sys.stdout.write(f"{figure.name:<46} {figure.value:8.3f}  n={figure.n}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
