"""The gold of a row: what is known to be right, as a field of the row states it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from vsgen.errors import InputError
from vsgen.labels.settings import Label
from vsgen.metrics.calibration import one_hot
from vsgen.values import Row

_ROUNDING: Final = 0.01
"""By which stated probabilities may miss a sum of 1."""


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
    named = list(value) if isinstance(value, list | Mapping) else [value]
    if value is None or (not several and isinstance(value, list)):
        form = "a list of classes, or {class: probability}" if several else "a class, or {class: probability}"
        fields = "" if name in row.fields else f"; its fields are: {', '.join(row.fields) or 'none'}"
        raise InputError(f"{row.where}: needs a field {name!r} with {form}, got {value!r}{fields}")
    if strangers := [str(one) for one in named if str(one) not in classes]:
        known, meant = ", ".join(classes), _meant(strangers[0], classes)
        problem = f"{strangers[0]!r} is not one of the label's classes ({known}){meant}"
        raise InputError(f"{row.where}: {name}: {problem}")
    if isinstance(value, Mapping):
        stated = {str(one): _probability(row, name, prob) for one, prob in value.items()}
        return _stated(row, name, [stated.get(one, 0.0) for one in classes], several=several)
    right = {str(one) for one in named}
    if several:
        return [one_hot(0 if one in right else 1, 2) for one in classes]
    return [one_hot(list(classes).index(str(value)), len(classes))]


def _probability(row: Row, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InputError(f"{row.where}: {name}: a probability is a number from 0 to 1, got {value!r}")
    return float(value)


def _stated(row: Row, name: str, probs: list[float], *, several: bool) -> list[list[float]]:
    if several:
        return [[p, 1 - p] for p in probs]
    total = math.fsum(probs)
    if abs(total - 1) > _ROUNDING:
        raise InputError(f"{row.where}: {name}: probabilities of the classes must sum to 1, got {total:.3g}")
    return [[p / total for p in probs]]


def _meant(word: str, classes: Sequence[str]) -> str:
    """The class most like a word, whatever its case."""
    folded = {one.casefold(): one for one in classes}
    close = get_close_matches(word.casefold(), folded, 1)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""
