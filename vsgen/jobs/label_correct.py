"""What is done to labels once they are made: a prior divided out, a scaling fitted to rows whose gold is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from vsgen.jobs.label_sets import KEY, require_gold
from vsgen.labels.conformal import Sets, fit_sets
from vsgen.labels.priors import batch_prior, divide, skew
from vsgen.labels.scaling import Scaling, cross_scaled, fit_scaling
from vsgen.labels.settings import Label
from vsgen.labels.soft import distributions, redistributed, uncorrected
from vsgen.metrics.calibration import Rows, ranked_probability_score
from vsgen.metrics.skill import class_prior, equal_shares, skill
from vsgen.probability import logs, softmax
from vsgen.report.measured import Measured, measured
from vsgen.values import SoftLabel
from vsgen.verdict.observed import Known

_SHOWN: Final = 4
"""Classes whose figures fit a line."""
_FEW: Final = 20
"""Known classes below which a fit can hardly tell a good teacher from a bad one."""


@dataclass(slots=True)
class Correction:
    """The correction of one label."""

    label: Label
    priors: list[list[float]] = field(default_factory=list)
    """Log prior of each of the label's `distributions`; empty divides nothing."""
    scalings: Sequence[Scaling] = ()
    """One for each of the label's `distributions`, or one for all; empty scales nothing."""
    sets: Sets | None = None
    """Makes a set of the label's distribution."""

    @property
    def idle(self) -> bool:
        """Whether it changes nothing."""
        return not self.priors and not self.scalings

    def without_prior(self, made: SoftLabel) -> list[list[float]]:
        """The label's distributions with the prior divided out."""
        given = distributions(made)
        if not self.priors:
            return given
        return [softmax(divide(logs(one), prior)) for one, prior in zip(given, self.priors, strict=True)]

    def __call__(self, made: SoftLabel) -> SoftLabel:
        """The label, corrected; what it was first, and what was done to it, stay with it."""
        if self.idle:
            return made
        given = self.without_prior(made)
        if not self.scalings:
            return redistributed(made, given)
        every = self._of_each(len(given))
        changed = redistributed(made, [scaling(one) for scaling, one in zip(every, given, strict=True)])
        classes = list(made.probs)
        held = {} if self.sets is None else {KEY: [classes[at] for at in self.sets(given[0])]}
        return replace(changed, details={**changed.details, **_applied(every, classes), **held})

    def learn_prior(self, rows: Sequence[Sequence[Sequence[float]]]) -> list[str]:
        """Take the batch's mean as the prior.

        Args:
            rows: The `distributions` of every row.

        Returns:
            What the user should know.
        """
        if not rows:
            return []
        warnings = []
        names = [self.label.classes] if self.label.kind != "multi" else [(c, f"not {c}") for c in self.label.classes]
        for column, classes in zip(zip(*rows, strict=True), names, strict=True):
            self.priors.append(batch_prior(column))
            if warning := skew(column).warning(classes):
                warnings.append(f"label {self.label.name}: {warning}")
        return warnings

    def _of_each(self, count: int) -> Sequence[Scaling]:
        """A scaling for each of a label's distributions."""
        return self.scalings if len(self.scalings) == count else [self.scalings[0]] * count


def _applied(scalings: Sequence[Scaling], classes: Sequence[str]) -> Mapping[str, object]:
    """What a label says of how it was scaled: one power and a bias for each class; of several classes, one of each."""
    first = scalings[0]
    if len(scalings) > 1:
        each = dict(zip(classes, scalings, strict=True))
        powers = {name: one.power for name, one in each.items()}
        return {"power": powers, "bias": {name: one.bias[0] - one.bias[1] for name, one in each.items()}}
    return {"power": first.power} | ({"bias": dict(zip(classes, first.bias, strict=True))} if first.bias else {})


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What fitting a scaling to gold rows has brought, measured on them."""

    label: Label
    scalings: Sequence[Scaling]
    raw: Rows
    """As the model gave it; a row for each gold row, or for each class of one where several may apply."""
    held_out: Rows
    """Under what is applied: a prior divided out, and the scaling that was fitted without the row."""
    gold: Rows
    prior: Rows
    """The class prior of each row; see `vsgen.metrics.skill.class_prior`."""
    masses: Sequence[float] | None
    """P(the reply is a class at all) of each row, where every one is known."""

    texts: Sequence[int]
    """The gold row that each row is about; several are about one where several classes may apply."""

    @property
    def name(self) -> str:
        """The label's."""
        return self.label.name

    @property
    def columns(self) -> list[Measured]:
        """Before, and after what is applied."""
        before = measured("before", self.raw, self.gold, self.prior, masses=self.masses, texts=self.texts)
        return [before, measured("after, held out", self.held_out, self.gold, self.prior, texts=self.texts)]

    @property
    def known(self) -> Known:
        """What the verdict judges the labels by."""
        found = skill(self.held_out, self.gold, self.prior, texts=self.texts)
        alone = not any(one.power for one in self.scalings)
        return Known(self._rows, found.value, found.error or 0.0, calibrated=True, prior_alone=alone)

    @property
    def verdict(self) -> Iterator[str]:
        """The scaling, and how far to trust it."""
        of = ("row", "rows") if len(self.gold) > self._rows else ("class", "classes")
        known = f"{self._rows:,} known {of[self._rows != 1]}"
        if not any(one.power for one in self.scalings):
            yield f"{self.name}: power 0 from {known}: every row gets the class prior{self._shares()}"
            few, nothing = "too few to see more; give 100", "the labels say nothing more of the classes"
            yield f"  {few if self._rows < _FEW else f'{nothing}; reword the question or use another model'}"
            return
        yield f"{self.name}: {self._fitted()} from {known}"
        if self.label.kind == "ordinal":
            before, after = (ranked_probability_score(rows, self.gold).value for rows in (self.raw, self.held_out))
            yield f"  ranked probability score {before:.4f} -> {after:.4f}"

    @property
    def _rows(self) -> int:
        """Gold rows."""
        return len(set(self.texts))

    def _fitted(self) -> str:
        """The powers and biases in words."""
        if len(self.scalings) > 1:
            powers = [one.power for one in self.scalings]
            return f"power {min(powers):.3g} to {max(powers):.3g} and a bias for each of {len(powers)} classes"
        (one,) = self.scalings
        if one.power == 1 and not any(one.bias):
            return "power 1 and no bias: as they are, the labels are better than any scaling"
        power = f"power {one.power:.3g} (temperature {1 / one.power:.3g})"
        biases = [f"{name} {bias:+.2f}" for name, bias in zip(self.label.classes, one.bias, strict=False)]
        if not biases:
            return power
        return f"{power}, bias {', '.join(biases[:_SHOWN])}{', ...' if len(biases) > _SHOWN else ''}"

    def _shares(self) -> str:
        classes, (first, *_) = self.label.classes, self.scalings
        if len(self.scalings) > 1 or not first.bias or len(classes) > _SHOWN:
            return ""
        shares = first([1 / len(classes)] * len(classes))
        return f" ({', '.join(f'{name} {share:.2f}' for name, share in zip(classes, shares, strict=True))})"


def calibrate(
    correction: Correction,
    rows: Sequence[tuple[SoftLabel, Rows]],
    *,
    level: float | None = None,
    kept: Sequence[bool] | None = None,
) -> Calibrated:
    """Fit a scaling to labels whose gold is known, and keep it in the correction.

    Where several classes may apply each gets a scaling of its own. Classes that differ from row to row get a power
    alone, and where several of them may apply, one scaling.

    Args:
        correction: Of this label; its prior is divided out first.
        rows: Labels as made, and the right one for each of their `distributions`.
        level: Also make sets that hold the right class with this probability.
        kept: The rows that choose how large sets are, where others have chosen the form of the label.

    Raises:
        OptionError: Sets need more rows.
    """
    label, kind = correction.label, correction.label.kind
    raw = [distributions(uncorrected(made)) for made, _ in rows]
    given = [correction.without_prior(made) for made, _ in rows]
    gold = [right for _, right in rows]
    biased = bool(label.classes) or kind == "multi"
    parts = [
        _Part(places, given, gold, biased) for places in _places(given, apart=kind == "multi" and bool(label.classes))
    ]
    correction.scalings = [part.fitted() for part in parts]
    if level is not None:
        require_gold(level, len(rows) if kept is None else min(len(rows), sum(kept) + 1))
        correction.sets = fit_sets(parts[0].of(given), parts[0].of(gold), level, biased=biased, kept=kept)
    return Calibrated(
        label,
        correction.scalings,
        [one for part in parts for one in part.of(raw)],
        [one for part in parts for one in part.held_out()],
        [one for part in parts for one in part.of(gold)],
        [one for part in parts for one in (class_prior if biased else equal_shares)(part.of(gold))],
        None if kind == "multi" else _masses([made for made, _ in rows]),
        [text for part in parts for text in part.texts],
    )


def _places(given: Sequence[Rows], *, apart: bool) -> list[list[tuple[int, int]]]:
    """Row and position of each distribution: all together, or those of each position by themselves."""
    every = [(i, at) for i, row in enumerate(given) for at in range(len(row))]
    return [[one for one in every if one[1] == at] for at in range(len(given[0]))] if apart else [every]


@dataclass(frozen=True, slots=True)
class _Part:
    """Distributions that share a scaling."""

    places: Sequence[tuple[int, int]]
    given: Sequence[Rows]
    gold: Sequence[Rows]
    biased: bool

    def of(self, rows: Sequence[Rows]) -> list[Sequence[float]]:
        """Those of these rows."""
        return [rows[i][at] for i, at in self.places]

    def fitted(self) -> Scaling:
        """What is applied to all rows."""
        return fit_scaling(self.of(self.given), self.of(self.gold), biased=self.biased, groups=self.texts)

    def held_out(self) -> list[list[float]]:
        """Each under what is fitted to the others."""
        return cross_scaled(self.of(self.given), self.of(self.gold), biased=self.biased, groups=self.texts)

    @property
    def texts(self) -> list[int]:
        """The questions about one text are never parted."""
        return [i for i, _ in self.places]


def _masses(labels: Sequence[SoftLabel]) -> list[float] | None:
    found = [one.label_mass for one in labels if one.label_mass is not None]
    return found if len(found) == len(labels) else None
