"""Whether what `keep` says holds: clause by clause, cheapest first, so that no label is paid for in vain.

Clauses that read no label come first. Then, in the order of the template, each label that a clause reads is made for
those answers alone for which all before held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from vsgen.files.records import label_line
from vsgen.flow import Flow
from vsgen.flows.label import Labeller, Labels, Text
from vsgen.flows.valid import Rejection
from vsgen.sections.misfit import TextProblem
from vsgen.template.final import ANSWER
from vsgen.template.keep import CORRECT, LABELS, Clause, clause
from vsgen.template.schema import Template
from vsgen.values import Candidate, SoftLabel, Unlabelled


class Tried(NamedTuple):
    """How one clause fared in one draw, or in several."""

    clause: str
    seen: int = 0
    """Answers to which it was put."""
    held: int = 0
    failed: int = 0
    """Those with which it could not be evaluated, and so did not hold."""

    def added(self, before: Tried | None) -> Tried:
        """Together with how it fared before."""
        if before is None:
            return self
        return Tried(self.clause, *(old + new for old, new in zip(before[1:], self[1:], strict=True)))

    def __str__(self) -> str:
        """The clause and its acceptance, in words."""
        share = f"holds for {self.held} of {self.seen} ({self.held / self.seen:.0%})" if self.seen else "was never put"
        failed = f", {self.failed} of them could not be evaluated" if self.failed else ""
        return f"keep: {self.clause}: {share}{failed}"


@dataclass(slots=True)
class Kept:
    """What became of the answers of one draw."""

    rejections: dict[int, Rejection] = field(default_factory=dict)
    labels: dict[int, Labels] = field(default_factory=dict)
    """Those that were made in order to decide, of the rejected ones too."""
    tried: list[Tried] = field(default_factory=list)
    """One for each clause, in the order in which they were put."""


class Keeper:
    """The clauses of one template."""

    def __init__(self, template: Template, labeller: Labeller) -> None:
        self._labeller = labeller
        self._names = [label.name for label in template.labels]
        clauses = [clause(text) for text in template.keep]
        self._clauses = sorted(clauses, key=lambda one: bool(one.labels(self._names)))

    @property
    def labels(self) -> frozenset[str]:
        """The labels that the clauses read."""
        return frozenset[str]().union(*(one.labels(self._names) for one in self._clauses))

    def sift(
        self, candidates: Mapping[int, Candidate], texts: Mapping[int, Text], voted: SoftLabel | None
    ) -> Flow[Kept]:
        """Decide on the valid candidates of one draw.

        Args:
            candidates: By their numbers, with their answers in their details.
            texts: What their labels are asked about.
            voted: The draw's label `answer`.
        """
        found, alive = Kept(labels={i: {} for i in candidates}), list(candidates)
        for one in self._clauses:
            yield from self._label(one.labels(self._names), alive, texts, found.labels)
            rejections = {}
            for i in alive:
                values = _values(candidates[i], texts[i].values, found.labels[i], voted)
                if rejection := _rejection(one, values, found.labels[i]):
                    rejections[i] = rejection
            failed = sum(bool(rejection.detail) for rejection in rejections.values())
            found.tried.append(Tried(one.text, len(alive), len(alive) - len(rejections), failed))
            found.rejections |= rejections
            alive = [i for i in alive if i not in rejections]
        return found

    def _label(
        self, names: frozenset[str], alive: Sequence[int], texts: Mapping[int, Text], made: Mapping[int, Labels]
    ) -> Flow[None]:
        new = frozenset(name for name in names if alive and name not in made[alive[0]])
        if new:
            labels = yield from self._labeller.label([texts[i] for i in alive], new)
            for i, own in zip(alive, labels, strict=True):
                made[i].update(own)


def _values(
    candidate: Candidate, asked: Mapping[str, object], labels: Labels, voted: SoftLabel | None
) -> dict[str, object]:
    """All that a clause may refer to; a field of the answer goes before all else of its name."""
    every = labels if voted is None else {ANSWER: voted, **labels}
    own: dict[str, object] = {"probability": candidate.weight, "logp": candidate.logp}
    own["verbalized"] = candidate.verbalized
    own |= {name: candidate.details[name] for name in (ANSWER, CORRECT) if name in candidate.details}
    return {**asked, **own, LABELS: {name: label_line(one) for name, one in every.items()}, **candidate.fields}


def _rejection(one: Clause, values: Mapping[str, object], labels: Labels) -> Rejection | None:
    try:
        return None if one.holds(values) else Rejection("keep", clause=one.text)
    except TextProblem as problem:
        missing = [f"label {name}: {made.problem}" for name, made in labels.items() if isinstance(made, Unlabelled)]
        return Rejection("keep", "; ".join([f"cannot be evaluated: {problem}", *missing]), one.text)
