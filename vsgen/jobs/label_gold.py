"""The gold of a row: what is known to be right, as a field of the row states it."""

from __future__ import annotations

from collections.abc import Sequence

from vsgen.errors import InputError
from vsgen.labels.examples import form_of, known_probs
from vsgen.labels.settings import Label
from vsgen.values import Row


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
        fields = "" if name in row.fields else f"; its fields are: {', '.join(row.fields) or 'none'}"
        raise InputError(f"{row.where}: needs a field {name!r} with {form_of(label.kind)}, got None{fields}")
    try:
        probs = known_probs(value, classes, label.kind)
    except ValueError as error:
        raise InputError(f"{row.where}: {name}: {error}") from None
    return [[p, 1 - p] for p in probs.values()] if several else [list(probs.values())]
