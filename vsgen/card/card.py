"""The figures of a model's card, and what settings they speak for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from vsgen.card.asks import Drawn, named
from vsgen.card.tasks import CLASSES, SENTENCES
from vsgen.sampling.reply_stats import ReplyStats, reply_stats
from vsgen.values import Candidate, ModelFacts, SoftLabel, Unlabelled
from vsgen.verdict.findings import MASS
from vsgen.verdict.observed import SUM
from vsgen.verdict.share import Share

_RANKED = 0.2
"""Rank correlation below which stated probabilities say hardly anything about the model's own."""
_POOR = 0.3
"""Share of right answers to closed tasks below which no setting helps."""
K = 5
"""Answers that a list is asked for."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists of answers with probabilities, asked for in one way."""

    name: str
    """The settings, in words."""
    sampling: Mapping[str, object]
    drawn: Sequence[Drawn]
    seconds: float

    @property
    def read(self) -> Share:
        """Replies that can be read."""
        replies = self._replies()
        return Share(sum(one.answers > 0 for one in replies), len(replies))

    @property
    def first(self) -> Share:
        """First answers to closed tasks that are right; a reply without answers has a wrong one."""
        closed = [one for one in self.drawn if one.task.answers]
        right = [one for one in closed if (got := one.distribution.candidates) and one.task.holds(_text(got[0]))]
        return Share(len(right), len(closed))

    @property
    def valid(self) -> Share:
        """Answers to closed tasks that are right, of all that were asked for."""
        closed = [one for one in self.drawn if one.task.answers]
        right = sum(one.task.holds(_text(each)) for one in closed for each in one.distribution.candidates)
        asked = sum(max(K, len(one.distribution.candidates)) for one in closed)
        return Share(right, asked)

    @property
    def sums(self) -> list[float]:
        """The sum of the stated probabilities of each reply that states any."""
        return [math.fsum(one.stated) for one in self._replies() if one.stated]

    @property
    def tokens(self) -> int:
        """Drawn in all."""
        return sum(one.tokens for one in self.drawn)

    def _replies(self) -> list[ReplyStats]:
        return [read for one in self.drawn for read in reply_stats(one.distribution)]


@dataclass(frozen=True, slots=True)
class Wording:
    """Labels of the built-in sentences, asked for in one way."""

    name: str
    labels: Sequence[SoftLabel | Unlabelled]
    flags: str = ""
    """What asks for it in `vsgen label`."""

    @property
    def mass(self) -> float | None:
        """The median probability of all classes together; None if no sentence was labelled."""
        masses = [one.label_mass for one in self.labels if isinstance(one, SoftLabel) and one.label_mass is not None]
        return median(masses) if masses else None

    @property
    def right(self) -> Share:
        """Sentences whose most probable class is the right one."""
        replies = [named(one.probs) if isinstance(one, SoftLabel) else None for one in self.labels]
        return Share(sum(a == right for a, (_, right) in zip(replies, SENTENCES, strict=True)), len(replies))


@dataclass(frozen=True, slots=True)
class Card:
    """All that was measured of a model."""

    model: str
    facts: ModelFacts | None
    bare: Mapping[str, Mapping[str, float]]
    """P(one bare answer is right), temperature 1, by way of asking and closed task; computed."""
    lists: Sequence[Lists]
    ranks: float | None
    """Rank correlation of stated probabilities with the model's own log-probability of the same answers."""
    ranked: int
    """Answers behind it."""
    wordings: Sequence[Wording] = field(default=())

    @property
    def best(self) -> Lists:
        """The way of asking with most right answers; of equals the first."""
        return max(self.lists, key=lambda one: (one.valid.value, one.read.value))

    def advice(self) -> list[str]:
        """What the figures speak for, in words."""
        best = self.best
        lines = [f"sampling: {_yaml(best.sampling)}"]
        if best.valid.value < _POOR:
            lines.append(
                "most answers are wrong with every way of asking: name a larger model, or ask for less at once"
            )
        if self.ranks is None or self.ranks < _RANKED or _too_much(best.sums):
            lines.append(
                "probability: what it states is not a distribution or carries little information; do not train on it"
            )
        if self.wordings:
            lines.append(f"labels: {_labels(self.wordings)}")
        return lines


def _too_much(sums: Sequence[float]) -> bool:
    return Share(sum(one > SUM for one in sums), len(sums)).value > 0.25


def _labels(wordings: Sequence[Wording]) -> str:
    best = max(wordings, key=lambda one: (one.right.count, one.mass or 0))
    if not best.right.surely(1 / len(CLASSES)):
        return "no wording is clearly better than chance; name another model for labels, or a prior"
    weak = "" if (best.mass or 0) >= MASS[1] else ", though it seldom answers with a class at all; use a larger model"
    flags = f" ({best.flags})" if best.flags else ""
    return f"{best.name}{flags}, {best.right.count} of {best.right.of} sentences right{weak}"


def _yaml(sampling: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in sampling.items()) + "}"


def _text(candidate: Candidate) -> str:
    return str(next(iter(candidate.fields.values()), ""))
