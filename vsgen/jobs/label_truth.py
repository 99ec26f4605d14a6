"""Labels beside what is known to be right, where input rows say so in a field of their own (``--gold``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from vsgen.errors import OptionError
from vsgen.flows.label import Labels
from vsgen.jobs.label_gold import classes_of, gold_of
from vsgen.labels.examples import text_key
from vsgen.labels.settings import Label
from vsgen.labels.soft import distributions
from vsgen.metrics.skill import class_prior, equal_shares
from vsgen.report.confusion import confusion_table, yes_or_no_table
from vsgen.report.measured import Measured, measured
from vsgen.report.table import calibration_table
from vsgen.sections.misfit import likeliest
from vsgen.values import Row, SoftLabel
from vsgen.verdict.observed import Known

_RAW: Final = "raw"
_SHOWN: Final = 20
"""Fields that a message lists."""


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
        if equals and name not in names:
            close = likeliest(name, names)
            remedy = f"; did you mean {close}={place}?" if close else ""
            raise OptionError(f"--gold {word}: there is no label {name!r}; the labels are: {', '.join(names)}{remedy}")
        if not equals:
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


def require_fields(rows: Iterable[Row], fields: Iterable[str], where: str) -> None:
    """See that each field with gold is in some row, before a model is asked; a row without it is not compared.

    Args:
        rows: Read until every field was seen.
        fields: Those of `truth_fields`.
        where: Names the rows.

    Raises:
        OptionError: No row has one of them.
    """
    missing, seen = dict.fromkeys(fields), dict[str, None]()
    for row in rows:
        seen |= dict.fromkeys(row.fields)
        if seen.keys() >= missing.keys():
            return
    for place in missing.keys() - seen.keys() if seen else ():
        raise OptionError(f"--gold {place}: no row of {where} has a field {place!r}{_others(place, list(seen))}")


def _others(place: str, fields: Sequence[str]) -> str:
    close = likeliest(place, fields)
    meant = f"; did you mean {close!r}?" if close else ""
    return f"; the fields are: {', '.join(fields[:_SHOWN])}{', ...' if len(fields) > _SHOWN else ''}{meant}"


def text_of(row: Row, asked: Sequence[str]) -> tuple[str, ...]:
    """What rows about which the same is asked have in common; `asked` are the fields that prompts refer to."""
    return tuple(text_key(str(row.fields.get(name))) for name in asked)


@dataclass(slots=True)
class Truths:
    """The labels of rows that have gold, as they are written."""

    labels: Sequence[Label]
    fields: Mapping[str, str]
    """The field with the gold of each label, by the label's name; labels without one are not compared."""
    asked: Sequence[str] = ()
    """The fields that the prompts refer to."""
    fitted: frozenset[tuple[str, ...]] = frozenset()
    """Texts of the rows that labels are calibrated on, see `text_of`: on these they only seem good, so they are left
    out."""
    _made: dict[str, list[SoftLabel]] = field(default_factory=dict)
    _gold: dict[str, list[list[list[float]]]] = field(default_factory=dict)
    _figures: dict[str, Measured] = field(default_factory=dict)
    """What is measured on all rows so far, which takes a second for 30,000: the report and the verdict both need it."""
    _rows: int = 0
    _shared: int = 0

    def check(self, row: Row) -> None:
        """See that the gold of a row can be read; a field that is null or missing says that it is not known.

        Raises:
            InputError: It cannot; names the line.
        """
        for label in self._compared():
            place = self.fields[label.name]
            if row.fields.get(place) is not None and (classes := classes_of(row, label)):
                gold_of(row, label, classes, place)

    def add(self, row: Row, labels: Labels) -> None:
        """Keep a row's labels and its gold.

        Raises:
            InputError: Its gold cannot be read.
        """
        self._rows += 1
        self._figures.clear()
        if self.fitted and text_of(row, self.asked) in self.fitted:
            self._shared += 1
            return
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
                yield from self._nothing(name, place)
                continue
            yield from calibration_table(name, [self._measured(label)])
            if self._shared:
                yield f"  without {self._shared:,} of {self._rows:,} rows, which are also in GOLD (--calibrate)"
            elif (count := len(self._made[name])) < self._rows:
                yield f"  on the {count:,} of {self._rows:,} rows with a label and a class in their field {place!r}"
            yield from self._confusion(label)

    def _nothing(self, name: str, place: str) -> Iterator[str]:
        """Why nothing is compared."""
        if self._shared:
            yield f"{name}: {self._shared:,} of {self._rows:,} rows are also in GOLD (--calibrate), and"
            yield "  no other row has a label and a known class: --gold compares nothing, see the held-out figures"
        else:
            yield f"{name}: no labeled row has a class in its field {place!r}, so nothing is compared"

    def known(self) -> Iterator[tuple[str, Known]]:
        """What the verdict judges the labels by."""
        for label in self._compared():
            if label.name in self._made:
                found = self._measured(label)
                yield label.name, Known(found.quality.texts, found.skill.value, found.skill.error or 0.0)

    def _compared(self) -> list[Label]:
        return [one for one in self.labels if one.name in self.fields]

    def _measured(self, label: Label) -> Measured:
        if label.name not in self._figures:
            self._figures[label.name] = self._measure(label)
        return self._figures[label.name]

    def _measure(self, label: Label) -> Measured:
        rows, gold = self._parts(label)
        prior = [one for part in gold for one in (class_prior if label.classes else equal_shares)(part)]
        flat = [one for part in rows for one in part]
        right = [one for part in gold for one in part]
        return measured("labels", flat, right, prior, masses=self._masses(label), texts=self._texts(label))

    def _parts(self, label: Label) -> tuple[list[list[list[float]]], list[list[list[float]]]]:
        """Distributions and gold of one question each: of each class where several may apply, else of all rows."""
        rows = [distributions(made) for made in self._made[label.name]]
        gold = self._gold[label.name]
        if label.kind == "multi" and label.classes:
            return [list(one) for one in zip(*rows, strict=True)], [list(one) for one in zip(*gold, strict=True)]
        return [[one for row in rows for one in row]], [[one for row in gold for one in row]]

    def _texts(self, label: Label) -> list[int]:
        """The row that each distribution of `_parts` is about."""
        sizes = [len(one) for one in self._gold[label.name]]
        if label.kind == "multi" and label.classes:
            return list(range(len(sizes))) * sizes[0]
        return [i for i, size in enumerate(sizes) for _ in range(size)]

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
