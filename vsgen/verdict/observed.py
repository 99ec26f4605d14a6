"""What is observed of a run: counts over its finished draws, in their order, so that a resumed run counts the same."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from vsgen.flows.draw import Outcome
from vsgen.sampling.reply_stats import ReplyStats
from vsgen.template.schema import Template
from vsgen.values import Record, SoftLabel, Unlabelled
from vsgen.verdict.share import Share

SUM = 1.05
"""Stated probabilities that sum to more are no distribution; what is above 1 by rounding is let pass."""
_DRAW = 5
"""Candidates that a draw counts as at least, when it is asked how much was seen."""
_LIST = 3
"""Stated probabilities from which on a reply may be called uniform, or the same as another."""


_SHAPES = 100
"""Different labels of a name that are counted one by one; what nearly all rows have is among the first."""


class Known(NamedTuple):
    """What rows of known class say of labels as they are written."""

    n: int
    """Rows whose class is known."""
    skill: float
    """1 - log loss / log loss of the class prior; -inf where a right class has probability 0."""
    error: float
    """Its standard error; 0 where there is none."""
    calibrated: bool = False
    """Rows of known class were used to scale the labels."""
    prior_alone: bool = False
    """The scaling gives every row the class prior, because the labels say nothing of the known classes."""


@dataclass(slots=True)
class Observed:
    """All that a verdict is made from."""

    limits: Mapping[str, int] = field(default_factory=dict)
    """The longest text that each field may hold, in characters."""
    draws: int = 0
    candidates: int = 0
    kept: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """By reason."""
    clauses: Counter[str] = field(default_factory=Counter)
    """Rejects by the clause of the template that did not hold."""
    replies: int = 0
    unread: int = 0
    """Replies in which no answer was found."""
    cut: int = 0
    """Replies that ended at `max_tokens`."""
    sums: array[float] = field(default_factory=lambda: array("d"))
    """Of the stated probabilities of each reply that states any."""
    lists: Counter[tuple[float, ...]] = field(default_factory=Counter)
    """The stated probabilities of each reply that states at least three, as it states them."""
    long: int = 0
    """Rejects with a text that is longer than its field allows."""
    ranks: array[float] = field(default_factory=lambda: array("d"))
    """Of each draw that says: the rank correlation of stated probabilities with the model's own."""
    rows: int = 0
    """Rows that came from elsewhere and were only labelled."""
    labels: int = 0
    """Labels that were asked for."""
    unlabelled: int = 0
    """Those that could not be made."""
    masses: dict[str, array[float]] = field(default_factory=dict)
    """P(the reply is one of the classes) of each label, by the label's name."""
    known: dict[str, Known] = field(default_factory=dict)
    """By label."""
    made: Counter[str] = field(default_factory=Counter)
    """Labels over several classes of rows that were only labelled, by the label's name."""
    shapes: dict[str, Counter[tuple[float, ...]]] = field(default_factory=dict)
    """Their probabilities, `_SHAPES` different ones at most, by the label's name."""
    totals: dict[str, list[float]] = field(default_factory=dict)
    """Sums of their probabilities over rows that have as many classes as the first one, by the label's name."""

    @classmethod
    def of(cls, template: Template) -> Observed:
        """Nothing seen yet of a template's run."""
        properties = template.output.item_schema["properties"]
        return cls({name: one["maxLength"] for name, one in properties.items() if "maxLength" in one})

    def add(self, outcome: Outcome) -> None:
        """Count a finished draw."""
        self.draws += 1
        self.candidates += outcome.candidates
        self.kept += len(outcome.records)
        self.rejected.update(one.reason for one in outcome.rejected)
        self.ranks.extend([] if outcome.rank is None else [outcome.rank])
        self.clauses.update(one.clause for one in outcome.rejected if one.clause)
        for read in outcome.replies:
            self._add_reply(read)
        self.long += sum(one.reason == "schema" and self._too_long(one.record) for one in outcome.rejected)
        for record in (*outcome.records, *(one.record for one in outcome.rejected)):
            self._add_labels(record.labels)

    def add_row(self, labels: Mapping[str, SoftLabel | Unlabelled]) -> None:
        """Count a row that was only labelled."""
        self.rows += 1
        self._add_labels(labels)
        for name, label in labels.items():
            if isinstance(label, SoftLabel):
                self._add_shape(name, tuple(label.probs.values()))

    @property
    def size(self) -> int:
        """How much was seen: candidates, of at least five a draw, or rows."""
        return max(_DRAW * self.draws, self.candidates, self.rows)

    @property
    def wanted(self) -> int:
        """Candidates that were judged: all but those that came when enough was kept."""
        return self.candidates - self.rejected["surplus"]

    def reason(self, *reasons: str) -> Share:
        """The share of judged candidates that these reasons took."""
        return Share(sum(self.rejected[one] for one in reasons), self.wanted)

    @property
    def above_one(self) -> Share:
        """Replies whose stated probabilities sum to more than 1."""
        return Share(sum(one > SUM for one in self.sums), len(self.sums))

    @property
    def uniform(self) -> Share:
        """Lists whose stated probabilities are all the same."""
        return Share(sum(count for one, count in self.lists.items() if _equal(one)), self.lists.total())

    def recited(self) -> tuple[tuple[float, ...], Share]:
        """The list of unequal probabilities that is stated most often, and its share of all lists."""
        uneven = [(count, one) for one, count in self.lists.items() if not _equal(one)]
        count, stated = max(uneven, default=(0, ()))
        return stated, Share(count, self.lists.total())

    def first(self) -> tuple[float, Share]:
        """The first stated probability that is most frequent in lists of unequal ones, and its share of those."""
        firsts = Counter[float]()
        for stated, count in self.lists.items():
            if not _equal(stated):
                firsts[stated[0]] += count
        value, count = max(firsts.items(), key=lambda one: (one[1], one[0]), default=(0.0, 0))
        return value, Share(count, firsts.total())

    def commonest(self, name: str) -> tuple[tuple[float, ...], Share]:
        """The probabilities that most labels of a name have, and how many of all have them."""
        (shape, count), *_ = self.shapes[name].most_common(1)
        return shape, Share(count, self.made[name])

    def _add_reply(self, read: ReplyStats) -> None:
        self.replies += 1
        self.unread += not read.answers
        self.cut += read.cut
        if read.stated:
            self.sums.append(math.fsum(read.stated))
        if len(read.stated) >= _LIST:
            self.lists[read.stated] += 1

    def _too_long(self, record: Record) -> bool:
        texts = {name: record.fields.get(name) for name in self.limits}
        return any(isinstance(text, str) and len(text) > self.limits[name] for name, text in texts.items())

    def _add_labels(self, labels: Mapping[str, SoftLabel | Unlabelled]) -> None:
        for name, label in labels.items():
            self.labels += 1
            if isinstance(label, Unlabelled):
                self.unlabelled += 1
            elif label.label_mass is not None:
                self.masses.setdefault(name, array("d")).append(label.label_mass)

    def _add_shape(self, name: str, shape: tuple[float, ...]) -> None:
        if len(shape) > 1:
            self.made[name] += 1
            totals = self.totals.setdefault(name, [0.0] * len(shape))
            self.totals[name] = [a + b for a, b in zip(totals, shape, strict=False)]
            shapes = self.shapes.setdefault(name, Counter())
            if shape in shapes or len(shapes) < _SHAPES:
                shapes[shape] += 1


def _equal(stated: tuple[float, ...]) -> bool:
    return len(set(stated)) == 1
