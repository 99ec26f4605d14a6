"""Worked examples of a label: rows whose class is known, which a question shows before the text that it is about."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from vsgen.labels.names import Kind
from vsgen.sections.misfit import Path, likeliest
from vsgen.sections.validators import as_list

MOST: Final = 1000
"""Examples of a label."""
_ROUNDING: Final = 0.01
"""By which stated probabilities may miss a sum of 1."""
_SHOWN: Final = 60
_FEWEST: Final = 2
"""Classes of a label."""


class Example(NamedTuple):
    """A question whose answer is known."""

    text: str
    """The question, the text included."""
    probs: Mapping[str, float]
    """The probability of each of its classes, in their order; of each class that may apply, that it does."""

    @property
    def likeliest(self) -> str:
        """Its most probable class; of several the first."""
        return max(self.probs, key=self.probs.__getitem__)


class Needs(NamedTuple):
    """What a label needs of an example."""

    name: str
    """The field with the class or the distribution."""
    kind: Kind
    classes: tuple[str, ...]
    choices: str | None
    """The field that lists the classes, where the label has none of its own."""
    needed: frozenset[str]
    """Fields that the prompt refers to."""


def known_probs(value: object, classes: Sequence[str], kind: Kind) -> dict[str, float]:
    """The probability of each class as a row states it.

    Args:
        value: A class; a mapping of classes to probabilities, in which a class that is left out has 0; where several
            classes may apply, a list of those that do.
        classes: Those that there are; the result has their order.
        kind: Of the label. Where several classes may apply, their probabilities need not sum to 1.

    Raises:
        ValueError: It is none of these; says what was got and what to do.
    """
    several = kind == "multi"
    match value:
        case Mapping():
            return _stated(value, classes, several=several)
        case list() | tuple() if several:
            named = [_class(one, classes) for one in value]
        case str() | int() | float() if not isinstance(value, bool):
            named = [_class(value, classes)]
        case _:
            raise ValueError(f"must be {form_of(kind)}, got {_short(value)}")
    return {name: float(name in named) for name in classes}


def form_of(kind: Kind) -> str:
    """How a row states what is known, in words."""
    return f"{'a list of classes' if kind == 'multi' else 'a class'}, or {{class: probability}}"


def _stated(value: Mapping[object, object], classes: Sequence[str], *, several: bool) -> dict[str, float]:
    probs = dict.fromkeys(classes, 0.0) | {_class(name, classes): _probability(p) for name, p in value.items()}
    total = math.fsum(probs.values())
    if several:
        return probs
    if abs(total - 1) > _ROUNDING:
        raise ValueError(f"probabilities of the classes must sum to 1, got {total:.3g}; divide them by their sum")
    return {name: p / total for name, p in probs.items()}


def _probability(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"a probability is a number from 0 to 1, got {_short(value)}")
    return float(value)


def _class(name: object, classes: Sequence[str]) -> str:
    word = str(name)
    if word in classes:
        return word
    folded = {one.casefold(): one for one in classes}
    close = likeliest(word.casefold(), list(folded))
    meant = f"; did you mean {folded[close]!r}?" if close else ""
    raise ValueError(f"{_short(word)} is not one of the label's classes ({', '.join(classes)}){meant}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def text_key(text: str) -> str:
    """What texts that are the same have in common, whatever their case and their blanks."""
    return " ".join(text.casefold().split())


def listed(value: object) -> tuple[str, ...]:
    """The classes that a row lists itself; none if the value is no list of texts or numbers."""
    each = value if isinstance(value, list | tuple) else []
    return tuple(str(one).strip() if isinstance(one, str | int | float) else "" for one in each)


def as_rows(value: object) -> object:
    """Rows; a path is replaced by the rows of its file where a template is loaded."""
    if isinstance(value, str):
        raise ValueError(f"the file {value!r} is read only from a template that is loaded; give the rows instead")
    return as_list(value)


def nowhere(rows: Sequence[Mapping[str, Any]], needed: frozenset[str]) -> str | None:
    """What is wrong with a prompt that refers to a field which no row has; None if each is in one of them."""
    fields = list(dict.fromkeys(str(name) for row in rows for name in row))
    if not (missing := sorted(needed.difference(fields))):
        return None
    close = likeliest(missing[0], fields)
    meant = f"; did you mean {close!r}?" if close else "; change the prompt, or the examples"
    return f"refers to {missing[0]!r}, which none of the examples has; their fields are: {', '.join(fields)}{meant}"


def problems_of(rows: Sequence[Mapping[str, Any]], label: Needs) -> Iterator[tuple[Path, str]]:
    """Why rows cannot be examples of a label, each with its place among them."""
    for i, row in enumerate(rows):
        if (found := _problem(row, label)) is not None:
            path, problem = found
            yield (i, *path), problem if path else f"example {i + 1} {problem}"


def _problem(row: Mapping[str, Any], label: Needs) -> tuple[Path, str] | None:
    if missing := sorted(label.needed - row.keys()):
        fields = ", ".join(map(str, row)) or "none"
        return (), f"has no field {missing[0]!r}, which the prompt needs; its fields are: {fields}"
    if row.get(label.name) is None:
        lacks = f"has null in its field {label.name!r}" if label.name in row else f"has no field {label.name!r}"
        return (), f"{lacks}; give the label's class or distribution there"
    classes = label.classes or listed(row.get(label.choices or ""))
    if len(classes) < _FEWEST:
        return (), f"has no field {label.choices!r} that lists at least two classes"
    try:
        known_probs(row[label.name], classes, label.kind)
    except ValueError as error:
        return (label.name,), str(error)
    return None
