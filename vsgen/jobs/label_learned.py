"""What a run learns of its labels and applies to them: priors from all rows, scalings from rows whose gold is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vsgen.errors import InputError
from vsgen.jobs.label_correct import Calibrated, Correction, calibrate
from vsgen.jobs.label_gold import Gold, gold_of, is_unknown
from vsgen.jobs.label_rows import Labelled, soft
from vsgen.labels.conformal import choosing
from vsgen.labels.settings import Label
from vsgen.labels.soft import distributions
from vsgen.report.reliability import curve, save_reliability
from vsgen.values import Row, SoftLabel, Unlabelled


class Learned:
    """The corrections of a template's labels, and the labels that they are learned from."""

    def __init__(self, labels: Sequence[Label], *, gold: Gold, level: float | None) -> None:
        """Set up; nothing is corrected yet.

        Args:
            labels: All of the template.
            gold: Rows whose gold is known; none if nothing is calibrated.
            level: Sets of classes are made at this level, if any.
        """
        self._gold = gold
        self._level = level
        self._corrections = {one.name: Correction(one) for one in labels}
        self._known: list[Labelled] = []
        self._uncorrected: dict[str, list[list[list[float]]]] = {one.name: [] for one in labels if one.prior == "batch"}
        """Of all rows, the distributions of the labels whose prior is the mean over them."""

    @property
    def waits(self) -> bool:
        """Whether some correction is known only after the last row."""
        return bool(self._uncorrected)

    @property
    def complete(self) -> bool:
        """Whether all rows whose gold is known are labelled."""
        return len(self._known) == len(self._gold.rows)

    def add_known(self, labelled: Labelled) -> None:
        """Keep a row whose gold is known; a label that could not be made is left out."""
        self._known.append(labelled)

    def add(self, labelled: Labelled) -> None:
        """Keep what a row of the input adds to a prior."""
        for name, rows in self._uncorrected.items():
            if (label := soft(labelled, name)) is not None:
                rows.append(distributions(label))

    def learn_priors(self) -> Iterator[str]:
        """Take the priors from all rows.

        Yields:
            What the user should know.
        """
        for name, rows in self._uncorrected.items():
            yield from self._corrections[name].learn_prior(rows)

    def calibrate(self) -> list[Calibrated]:
        """Fit a scaling for each label to the rows whose gold is known; nothing where there are none.

        Raises:
            InputError: A label could be made for none of them; names the first line.
        """
        return [self._calibrated(one) for one in self._corrections.values()] if self._known else []

    def left_out(self, name: str) -> Iterator[str]:
        """A line on the gold rows that a label's scaling is not fitted to, if there are any."""
        label = self._corrections[name].label
        asked = [one for one in self._known if not is_unknown(one.row, label)]
        failed = self._failed(label)
        parts = []
        if nulls := len(self._known) - len(asked) + self._gold.unknown:
            parts.append(f"{nulls:,} with null in {name!r}")
        if failed:
            where, problem = failed[0]
            parts.append(f"{len(failed):,} of {len(asked):,} that could not be labeled ({where}: {problem})")
        if parts:
            yield f"  gold rows left out: {', '.join(parts)}"

    def _calibrated(self, correction: Correction) -> Calibrated:
        label = correction.label
        made = [(one.labels[label.name], one.row) for one in self._known if not is_unknown(one.row, label)]
        known = [(one, row) for one, row in made if isinstance(one, SoftLabel)]
        if not known:
            where, problem = self._failed(label)[0]
            remedy = "reword the prompt, or use another method or model"
            raise InputError(f"{where}: label {label.name}: {problem}; so with all {len(made):,} gold rows; {remedy}")
        right = [(one, gold_of(row, label, list(one.probs))) for one, row in known]
        return calibrate(correction, right, level=self._level, kept=self._kept(known))

    def _kept(self, known: Sequence[tuple[SoftLabel, Row]]) -> list[bool] | None:
        """Which rows choose the size of sets: where forms were tried, those by which none was chosen."""
        if self._level is None or all(one.tried is None for one in self._known):
            return None
        every = choosing(len(self._gold.rows), self._level)
        kept = [every[row.index] for _, row in known]
        return None if all(kept) else kept

    def _failed(self, label: Label) -> list[tuple[str, str]]:
        """Line and problem of each gold row whose label could not be made."""
        made = [(one.row, one.labels[label.name]) for one in self._known]
        return [
            (row.where, one.problem) for row, one in made if isinstance(one, Unlabelled) and not is_unknown(row, label)
        ]

    def __call__(self, labelled: Labelled) -> Labelled:
        """A row with its labels corrected."""
        labels = {
            name: self._corrections[name](made) if isinstance(made, SoftLabel) else made
            for name, made in labelled.labels.items()
        }
        return labelled._replace(labels=labels)


def draw(path: Path, results: Sequence[Calibrated]) -> None:
    """Write the reliability diagram of each label, before and after.

    Raises:
        OutputError: It cannot be written.
    """
    curves = []
    for one in results:
        curves.append(curve(one.name, "before", one.raw, one.gold))
        curves.append(curve(one.name, "after", one.held_out, one.gold))
    save_reliability(path, curves)
