"""The gold of a row: what is known to be right, as a field of the row states it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from vsgen.errors import InputError
from vsgen.files.rows import RowInput
from vsgen.jobs.label_options import LabelOptions
from vsgen.jobs.label_rows import values_of, with_text
from vsgen.labels.examples import form_of, known_probs, listed
from vsgen.labels.settings import Label
from vsgen.values import Row


class Gold(NamedTuple):
    """The rows of a file whose gold is known."""

    rows: list[Row]
    """In the order of the file, and numbered in it; each has gold for at least one label."""
    unknown: int = 0
    """Rows that have none, because every label's field is null; they are left out."""


def gold_of(row: Row, label: Label, classes: Sequence[str], field: str | None = None) -> list[list[float]]:
    """The right distributions in a gold row's label over these classes, in the form of `labels.soft.distributions`.

    The field holds a class, or ``{class: probability}``; where several may apply, a list of classes, or
    ``{class: P(it applies)}``.

    Args:
        row: Any.
        label: Whose gold is wanted.
        classes: Those of this row.
        field: The label's name if None.

    Raises:
        InputError: The row says nothing of the kind, or names something else; names the line.
    """
    name = label.name if field is None else field
    value, several = row.fields.get(name), label.kind == "multi"
    if value is None:
        what = "is null" if name in row.fields else f"is missing; its fields are: {', '.join(row.fields) or 'none'}"
        raise InputError(f"{row.where}: needs a field {name!r} with {form_of(label.kind)}, which {what}")
    try:
        probs = known_probs(value, classes, label.kind)
    except ValueError as error:
        raise InputError(f"{row.where}: {name}: {error}") from None
    return [[p, 1 - p] for p in probs.values()] if several else [list(probs.values())]


def classes_of(row: Row, label: Label) -> tuple[str, ...]:
    """A label's classes, or those that the row lists; none where it lists none, which the label itself refuses."""
    return label.classes or listed(values_of(row).get(label.choices or ""))


def is_unknown(row: Row, label: Label) -> bool:
    """Whether a row says that its gold is not known: its field is null. A field that is missing says nothing."""
    return label.name in row.fields and row.fields[label.name] is None


def gold_rows(known: RowInput, options: LabelOptions) -> Gold:
    """Rows whose class is known, checked as far as that can be done before anything is asked.

    Raises:
        InputError: There are none for some label, or one has gold that cannot be read; names the line.
    """
    labels, rows = options.template.labels, list(known.rows())
    if not rows:
        raise InputError(f"{known.name}: has no rows; give rows with the text and the known class")
    for row in rows:
        with_text(row, options)
        for label in labels:
            if (classes := classes_of(row, label)) and not is_unknown(row, label):
                gold_of(row, label, classes)
    for label in labels:
        if all(is_unknown(row, label) for row in rows):
            raise InputError(f"{known.name}: field {label.name!r} is null in every row; give the class of some rows")
    left = [row for row in rows if not all(is_unknown(row, label) for label in labels)]
    return Gold([replace(row, index=i) for i, row in enumerate(left)], len(rows) - len(left))
