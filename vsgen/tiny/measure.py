"""What a model does, measured against the grammar: free decoding at temperature 1 unless a name says otherwise.

Replies are read strictly (`json.loads`): what a tolerant parser could save counts as a failure here. Every measure
takes the split from which the words are drawn, so that it can be taken on prompts that were never trained on.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeAlias

import numpy as np

from vsgen.sampling import prompts
from vsgen.tiny.asks import Answers, Result
from vsgen.tiny.chat import asking, chain, classified, story, talk
from vsgen.tiny.exchanges import exchanges
from vsgen.tiny.grammar import sums
from vsgen.tiny.grammar.script import follow
from vsgen.tiny.grammar.source import head_probs, read
from vsgen.tiny.grammar.tasks import Question, Request, by_topic
from vsgen.tiny.grammar.wordings import Split
from vsgen.tiny.replies import GAMMA, reply
from vsgen.tiny.subject import Subject, Weighted
from vsgen.tiny.turns import Turn, user
from vsgen.tiny.words import other

Answer: TypeAlias = tuple[str, float]
"""A text and the probability that was stated for it; 0 where none was asked."""

HELD: Final[tuple[Split, ...]] = ("combined", "new")
ALPHA: Final = 4.0
DRAWS: Final = 48
"""Weighted replies per problem that stand for p^alpha."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value, and for a gate the bound that it must hold."""

    name: str
    value: float
    n: int
    at_least: float | None = None
    at_most: float | None = None

    @property
    def held(self) -> bool:
        """Within its bounds; an undefined value is not."""
        low = -math.inf if self.at_least is None else self.at_least
        high = math.inf if self.at_most is None else self.at_most
        return low <= self.value <= high


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
    def exact(self) -> bool:
        """As many answers as were asked."""
        return len(self.texts) == self.k

    @property
    def distinct(self) -> bool:
        """No answer occurs twice, earlier turns included; an unreadable reply has failed in this too."""
        repeats = len(self.texts) + len(self.before) - len({*self.texts, *self.before})
        return self.answers is not None and not repeats


def answers(text: str, field: str = "text", *, stating: bool = False) -> tuple[Answer, ...] | None:
    """The answers in a JSON reply; None if it is not one, or if `stating` and one has no probability in (0, 1].

    A reply that begins as numbered lines is read as such.
    """
    if text.startswith("1. "):
        return _numbered(text, stating=stating)
    try:
        found = json.loads(text)
        items = found[prompts.RESPONSES] if isinstance(found, dict) else found
        made = tuple((one[field], one[prompts.PROBABILITY] if stating else 0.0) for one in items)
    except (ValueError, KeyError, TypeError):
        return None
    sound = all(isinstance(one, str) and (not stating or _probability(said)) for one, said in made)
    return made if sound else None


def _numbered(text: str, *, stating: bool) -> tuple[Answer, ...] | None:
    tail = r" \((0\.\d+|1\.0)\)" if stating else "()"
    found = [re.fullmatch(rf"{i}\. (\S.*?){tail}", line) for i, line in enumerate(text.split("\n"), 1)]
    made = tuple((one[1], float(one[2] or 0)) for one in found if one)
    return made if len(made) == len(found) else None


def _probability(said: object) -> bool:
    return isinstance(said, int | float) and not isinstance(said, bool) and 0 < said <= 1


def lists(
    subject: Subject,
    asks: Sequence[Answers],
    splits: Sequence[Split],
    *,
    turns: int = 1,
    seed: int = 0,
    shown: bool = False,
) -> list[Asked]:
    """Ask in the words of vsgen's methods, each ask in the next split's; the model writes the last reply.

    With worked exchanges before the task where `shown`.
    """
    rng = Random(seed)
    talks = []
    for i, ask in enumerate(asks):
        less, before = exchanges(ask, rng) if shown else (ask, ())
        talks.append((ask, tuple(talk(less, rng, splits[i % len(splits)], [ask.k] * turns, before))))
    return _lists(subject, talks)


def in_own_words(subject: Subject, asks: Sequence[Answers], splits: Sequence[Split]) -> list[Asked]:
    """Ask as users do who write the JSON form themselves."""
    rng = Random(0)
    talks = []
    for i, ask in enumerate(asks):
        ideal = tuple(talk(ask, rng, "shipped", [ask.k]))[-1]
        talks.append((ask, (user(other(ask, rng, splits[i % len(splits)])), ideal)))
    return _lists(subject, talks)


def _lists(subject: Subject, talks: Sequence[tuple[Answers, tuple[Turn, ...]]]) -> list[Asked]:
    replies = subject.replies([subject.prompt(turns[:-1]) for _, turns in talks])
    made = []
    for (ask, turns), text in zip(talks, replies, strict=True):
        stating = ask.form in {"vs", "vs-cot"}
        earlier = [
            answers(turn.text, ask.field) or () for turn in turns[:-1] if turn.speaker == "assistant" and turn.practised
        ]
        before = tuple(text for part in earlier for text, _ in part)
        k = len(answers(turns[-1].text, ask.field) or ())
        made.append(Asked(ask.request, k, before, answers(text, ask.field, stating=stating)))
    return made


def direct(subject: Subject, asked: Sequence[Request], splits: Sequence[Split], seed: int = 0) -> list[str]:
    """One direct answer to each request."""
    rng = Random(seed)
    turns = [asking(Answers(request), rng, splits[i % len(splits)]) for i, request in enumerate(asked)]
    return subject.replies([subject.prompt(one) for one in turns])


def on_topic(request: Request, text: str) -> bool:
    """Names what was asked for (product, animal, place), or is in the closed set or a right quiz of the subject."""
    if request.topic == "closed":
        return text in request.source.heads.texts
    if request.topic == "quiz":
        return read(request.source, text) is not None
    return any(request.keys[key] in text for key in ("product", "animal", "spot") if key in request.keys)


def topical(calls: Iterable[Asked]) -> list[bool]:
    """Whether each answer is on topic; an unreadable reply counts as k answers that are not."""
    return [
        hit
        for one in calls
        for hit in ([False] * one.k if one.answers is None else [on_topic(one.request, text) for text in one.texts])
    ]


def pairs(calls: Iterable[Asked]) -> Iterator[tuple[float, float]]:
    """(ln stated, ln true) of every answer that the grammar knows; the truth is P(head), not rounded."""
    for one in calls:
        for text, said in one.answers or ():
            found = read(one.request.source, text)
            if found is not None and said > 0:
                yield math.log(said), math.log(head_probs(one.request.source)[found.head])


def agreement(calls: Iterable[Asked]) -> tuple[float, float, int]:
    """Correlation of ln stated with ln true, mean of their absolute difference, and the number of answers."""
    found = list(pairs(calls))
    if len(found) < 2:
        return math.nan, math.nan, len(found)
    said, true = np.array(found).T
    return float(np.corrcoef(said, true)[0, 1]), float(np.abs(said - true).mean()), len(found)


def collapse(subject: Subject, request: Request, turns: Sequence[Turn]) -> float:
    """KL(p^gamma / Z || direct answers) on a closed set, exactly, nats."""
    sharp = [p**GAMMA for p in head_probs(request.source)]
    said = subject.probs(subject.prompt(turns), request.source.heads.texts)
    if min(said) == 0:
        return math.inf
    return math.fsum(s / sum(sharp) * math.log(s / sum(sharp) / q) for s, q in zip(sharp, said, strict=True))


def collapses(subject: Subject, split: Split, each: int) -> list[float]:
    """`collapse` of every closed set in `each` wordings of a split."""
    rng = Random(5)
    asks = [(r, asking(Answers(r), rng, split)) for r in by_topic("closed") for _ in range(each)]
    return [collapse(subject, request, turns) for request, turns in asks]


def variety(subject: Subject, request: Request, splits: Sequence[Split]) -> tuple[int, int]:
    """How many of 100 direct answers differ, and of those of 20 verbalized calls for 5."""
    spread = lists(subject, [Answers(request, "vs", 5)] * 20, splits)
    texts = [text for one in spread for text in one.texts if on_topic(request, text)][:100]
    return len(set(direct(subject, [request] * 100, splits))), len(set(texts))


def classification(subject: Subject, question: Question, n: int, splits: Sequence[Split]) -> list[tuple[float, bool]]:
    """Of `n` unseen texts, the total variation to the true posterior, and whether the likeliest class agrees.

    What the model gives to replies that are no class counts as distance.
    """
    rng = Random(3)
    found = []
    for i in range(n):
        ask = classified(question, rng, unseen=True)
        said = subject.probs(subject.prompt(asking(ask, rng, splits[i % len(splits)])), question.classes)
        distance = 1 - sum(min(q, p) for q, p in zip(said, ask.posterior, strict=True))
        found.append((distance, said.index(max(said)) == ask.posterior.index(max(ask.posterior))))
    return found


def chains(n: int, length: int, *, hard: bool) -> list[Result]:
    """Unseen natural sums."""
    rng = Random(6)
    return [chain(rng, length, hard=hard, unseen=True) for _ in range(n)]


def stories(n: int, length: int = 2) -> list[Result]:
    """Unseen engineered sums."""
    rng = Random(7)
    return [story(rng, length, unseen=True) for _ in range(n)]


def worked(
    subject: Subject, asks: Sequence[Result], splits: Sequence[Split], temperature: float = 1.0, draws: int = 1
) -> list[tuple[Result, str]]:
    """`draws` replies to each sum, each with its sum."""
    texts = subject.replies(_prompts(subject, asks, splits) * draws, temperature=temperature)
    return list(zip([*asks] * draws, texts, strict=True))


def accuracy(replies: Iterable[tuple[Result, str]]) -> float:
    """The share of replies whose answer is the sum's."""
    return share(right(ask, text) for ask, text in replies)


def powered(subject: Subject, asks: Sequence[Result], splits: Sequence[Split]) -> tuple[float, float]:
    """Accuracy under p^alpha, and the mean effective sample size of the `DRAWS` weighted replies behind it."""
    drawn = subject.power(_prompts(subject, asks, splits), ALPHA, DRAWS)
    shares, sizes = [], []
    for ask, replies in zip(asks, drawn, strict=True):
        weights = _normalised(replies)
        shares.append(sum(w for w, one in zip(weights, replies, strict=True) if right(ask, one.text)))
        sizes.append(1 / sum(w * w for w in weights))
    return sum(shares) / len(shares), sum(sizes) / len(sizes)


def truth(ask: Result, alpha: float = 1.0) -> tuple[float, float]:
    """P(right) and P(hasty) under the grammar's own p^alpha / Z, over all replies to a sum."""
    weights = [(text, p**alpha) for text, p in _outcomes(ask, ())]
    total = math.fsum(p for _, p in weights)
    hits = math.fsum(p for text, p in weights if right(ask, text))
    return hits / total, math.fsum(p for text, p in weights if hasty(text)) / total


def _outcomes(ask: Result, taken: tuple[int, ...], said: str = "", p: float = 1.0) -> Iterator[tuple[str, float]]:
    choice = follow(reply(ask), taken)
    if choice is None:
        yield said, p
        return
    for i, (text, one) in enumerate(zip(choice.texts, choice.probs, strict=True)):
        yield from _outcomes(ask, (*taken, i), said + text, p * one)


def hasty(text: str) -> bool:
    """Whether a reply to a sum shows no step."""
    return not sums.steps(text)


def right(ask: Result, text: str) -> bool:
    """Whether the answer of a reply is the sum's."""
    return sums.final(text) == ask.sum.values[-1]


def share(hits: Iterable[bool]) -> float:
    """The share of hits; 0 of none."""
    found = list(hits)
    return sum(found) / max(len(found), 1)


def _prompts(subject: Subject, asks: Sequence[Result], splits: Sequence[Split]) -> list[str]:
    rng = Random(8)
    return [subject.prompt(asking(ask, rng, splits[i % len(splits)])) for i, ask in enumerate(asks)]


def _normalised(replies: Sequence[Weighted]) -> list[float]:
    peak = max(one.logw for one in replies)
    weights = [math.exp(one.logw - peak) for one in replies]
    return [weight / sum(weights) for weight in weights]
