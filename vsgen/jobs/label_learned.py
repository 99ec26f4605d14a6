"""What a run learns of its labels and applies to them: priors from all rows, scalings from rows whose gold is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vsgen.errors import InputError
from vsgen.jobs.label_correct import Calibrated, Correction, calibrate
from vsgen.jobs.label_gold import gold_of
from vsgen.jobs.label_rows import Labelled, soft
from vsgen.labels.settings import Label
from vsgen.labels.soft import distributions
from vsgen.report.reliability import curve, save_reliability
from vsgen.values import SoftLabel, Unlabelled


class Learned:
    """The corrections of a template's labels, and the labels that they are learned from."""

    def __init__(self, labels: Sequence[Label], *, gold: int, level: float | None) -> None:
        """Set up; nothing is corrected yet.

        Args:
            labels: All of the template.
            gold: Rows whose gold is known.
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
        return len(self._known) == self._gold

    def add_known(self, labelled: Labelled) -> None:
        """Keep a row whose gold is known.

        Raises:
            InputError: A label could not be made; names the line.
        """
        for name, label in labelled.labels.items():
            if isinstance(label, Unlabelled):
                remedy = "remove the row from GOLD, or correct it"
                raise InputError(f"{labelled.row.where}: label {name}: {label.problem}; {remedy}")
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
        """Fit a scaling for each label to the rows whose gold is known; nothing where there are none."""
        return [self._calibrated(one) for one in self._corrections.values()] if self._known else []

    def _calibrated(self, correction: Correction) -> Calibrated:
        label = correction.label
        made = [(one.labels[label.name], one.row) for one in self._known]
        known = [(one, row) for one, row in made if isinstance(one, SoftLabel)]
        right = [(one, gold_of(row, label, list(one.probs))) for one, row in known]
        return calibrate(correction, right, level=self._level)

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
