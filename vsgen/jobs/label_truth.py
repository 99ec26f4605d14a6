"""Labels beside what is known to be right, where input rows say so in a field of their own (``--gold``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from vsgen.errors import OptionError
from vsgen.flows.label import Labels
from vsgen.jobs.label_gold import classes_of, gold_of
from vsgen.labels.settings import Label
from vsgen.labels.soft import distributions
from vsgen.metrics.skill import class_prior, equal_shares
from vsgen.report.confusion import confusion_table, yes_or_no_table
from vsgen.report.measured import Measured, measured
from vsgen.report.table import calibration_table
from vsgen.values import Row, SoftLabel
from vsgen.verdict.observed import Known

_RAW: Final = "raw"


def truth_fields(words: Sequence[str], labels: Sequence[Label]) -> dict[str, str]:
    """The field with the gold of each label, by the label's name.

    Args:
        words: ``FIELD``, or ``NAME=FIELD`` for one of several labels.
        labels: All.

    Raises:
        OptionError: It is not clear which label is meant.
    """
    names, found = [one.name for one in labels], dict[str, str]()
    for word in words:
        name, equals, place = word.partition("=")
        if not equals or name not in names:
            name, place = names[0], word
            if len(names) > 1:
                remedy = f"give --gold NAME=FIELD for each label to compare, such as --gold {name}={word or 'FIELD'}"
                raise OptionError(f"--gold {word}: there are {len(names)} labels ({', '.join(names)}); {remedy}")
        if not place:
            raise OptionError(f"--gold {word}: names no field; give the field of the rows that holds the true class")
        if found.setdefault(name, place) != place:
            both = f"the fields {found[name]!r} and {place!r} are both named for label {name}"
            raise OptionError(f"--gold {word}: {both}; leave one of them out")
    return found


@dataclass(slots=True)
class Truths:
    """The labels of rows that have gold, as they are written."""

    labels: Sequence[Label]
    fields: Mapping[str, str]
    """The field with the gold of each label, by the label's name; labels without one are not compared."""
    _made: dict[str, list[SoftLabel]] = field(default_factory=dict)
    _gold: dict[str, list[list[list[float]]]] = field(default_factory=dict)
    _rows: int = 0

    def check(self, row: Row) -> None:
        """See that a row has its fields, and gold in them that can be read; null says that it is not known.

        Raises:
            InputError: It has not; names the line.
        """
        for label in self._compared():
            place = self.fields[label.name]
            known = place not in row.fields or row.fields[place] is not None
            if known and (classes := classes_of(row, label)):
                gold_of(row, label, classes, place)

    def add(self, row: Row, labels: Labels) -> None:
        """Keep a row's labels and its gold.

        Raises:
            InputError: Its gold cannot be read.
        """
        self._rows += 1
        for label in self._compared():
            made, place = labels[label.name], self.fields[label.name]
            if isinstance(made, SoftLabel) and row.fields.get(place) is not None:
                self._made.setdefault(label.name, []).append(made)
                self._gold.setdefault(label.name, []).append(gold_of(row, label, list(made.probs), place))

    def lines(self) -> Iterator[str]:
        """A table for each label."""
        for label in self._compared():
            name, place = label.name, self.fields[label.name]
            if name not in self._made:
                yield f"{name}: no labeled row has a class in its field {place!r}, so nothing is compared"
                continue
            yield from calibration_table(name, [self._measured(label)])
            if (count := len(self._made[name])) < self._rows:
                yield f"  on the {count:,} of {self._rows:,} rows with a label and a class in their field {place!r}"
            yield from self._confusion(label)

    def known(self) -> Iterator[tuple[str, Known]]:
        """What the verdict judges the labels by."""
        for label in self._compared():
            if label.name in self._made:
                found = self._measured(label)
                yield label.name, Known(found.quality.n, found.skill.value, found.skill.error or 0.0)

    def _compared(self) -> list[Label]:
        return [one for one in self.labels if one.name in self.fields]

    def _measured(self, label: Label) -> Measured:
        rows, gold = self._parts(label)
        prior = [one for part in gold for one in (class_prior if label.classes else equal_shares)(part)]
        flat = [one for part in rows for one in part]
        return measured("labels", flat, [one for part in gold for one in part], prior, masses=self._masses(label))

    def _parts(self, label: Label) -> tuple[list[list[list[float]]], list[list[list[float]]]]:
        """Distributions and gold of one question each: of each class where several may apply, else of all rows."""
        rows = [distributions(made) for made in self._made[label.name]]
        gold = self._gold[label.name]
        if label.kind == "multi" and label.classes:
            return [list(one) for one in zip(*rows, strict=True)], [list(one) for one in zip(*gold, strict=True)]
        return [[one for row in rows for one in row]], [[one for row in gold for one in row]]

    def _masses(self, label: Label) -> list[float] | None:
        """P(the reply is a class at all) of each row, where labels are as the model gave them."""
        made = self._made[label.name]
        found = [one.label_mass for one in made if one.label_mass is not None and _RAW not in one.details]
        return found if label.kind != "multi" and len(found) == len(made) else None

    def _confusion(self, label: Label) -> list[str]:
        if not label.classes:
            return []
        rows, gold = self._parts(label)
        if label.kind == "multi":
            return yes_or_no_table(label.classes, rows, gold)
        return confusion_table(label.classes, rows[0], gold[0])
