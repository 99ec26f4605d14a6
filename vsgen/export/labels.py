"""Label columns: each row's distribution over the classes as a vector in one fixed order.

A plain cross entropy takes such vectors as they are: ``torch.nn.CrossEntropyLoss()(logits, vectors)``. Two libraries do
not, and do not say so: docs/training.md and `STACKED_LABELS` have what to add there.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from vsgen.errors import InputError, OptionError
from vsgen.values import Row

STACKED_LABELS = """\
class SoftCollator(sentence_transformers.cross_encoder.data_collator.CrossEncoderDataCollator):
    def __call__(self, features):
        batch = super().__call__(features)
        return batch | {"label": torch.stack(batch["label"])}
"""
"""Soft labels for CrossEncoderTrainer, as its `data_collator`, made with `model.preprocess`: its own collator hands a
list of vectors to the loss, and CrossEntropyLoss (sentence-transformers 6.2) asks for a tensor."""

_SLACK = 1e-3
"""How far rounded probabilities may be from a sum of 1."""


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """One label of every row."""

    name: str
    classes: tuple[str, ...]
    """The order of its vectors."""
    multi: bool = False
    """Several classes may apply to a row: each has a probability of its own, and they need not sum to 1."""

    def read(self, row: Row) -> Mapping[str, Any]:
        """The row's label: `probs` and what else is known.

        Raises:
            InputError: The row has no such label.
        """
        return _label(row, self.name)

    def vector(self, row: Row) -> list[float]:
        """The row's probabilities, in the order of the classes.

        Raises:
            InputError: The row has other classes, or what it has are no probabilities.
        """
        probs = self.read(row)["probs"]
        if set(probs) != set(self.classes):
            raise InputError(
                f"{row.where}: labels.{self.name}: the classes must be {', '.join(self.classes)}, got "
                f"{', '.join(probs)}; export rows with other classes on their own, or name all with --classes"
            )
        vector = [probs[name] for name in self.classes]
        if not all(_is_prob(prob) for prob in vector):
            raise InputError(f"{row.where}: labels.{self.name}: must be probabilities, got {vector}; fix the row")
        if not self.multi and abs(math.fsum(vector) - 1) > _SLACK:
            total = f"{math.fsum(vector):.6g}"
            raise InputError(f"{row.where}: labels.{self.name}: must sum to 1, got {total}; fix the row")
        return vector


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows that have all the labels that are wanted."""

    labels: tuple[LabelColumn, ...]
    rows: Iterator[Row]

    def only(self) -> LabelColumn:
        """The one label, for forms that hold one.

        Raises:
            OptionError: There are several.
        """
        if len(self.labels) > 1:
            names = ", ".join(label.name for label in self.labels)
            raise OptionError(f"--label: this form holds one label, got {names}; name one of them")
        return self.labels[0]


def labelled(
    rows: Iterable[Row],
    names: Sequence[str] = (),
    classes: Sequence[str] = (),
    *,
    skip: Callable[[str], None] | None = None,
) -> Labelled:
    """Read the labels of rows; the first row that is used says which there are, and the order of their classes.

    Args:
        rows: What `vsgen run` or `vsgen label` wrote.
        names: The labels that are wanted; none are all.
        classes: Their order, where it shall not be that of the first row.
        skip: Told of each row that could not be labelled, which is then left out; without it that is an error.

    Raises:
        InputError: There is no row, or the first one has no such label.
        OptionError: `classes` are given for several labels, or name one twice.
    """
    upcoming = iter(rows)
    first = next(upcoming, None)
    if first is None:
        raise InputError("the input has no rows; give rows of `vsgen run` or `vsgen label`")
    wanted = tuple(names) or tuple(_labels(first))
    kept = _kept(chain([first], upcoming), wanted, skip)
    first = next(kept, None)
    if first is None:
        raise InputError("no row of the input is labelled; label them with `vsgen label`")
    if classes and (len(wanted) > 1 or len(set(classes)) < len(classes)):
        raise OptionError(f"--classes: must be different classes of one --label, got {', '.join(classes)}")
    found = tuple(_found(first, name, classes) for name in wanted)
    return Labelled(found, chain([first], kept))


def _found(first: Row, name: str, classes: Sequence[str]) -> LabelColumn:
    label = _label(first, name)
    return LabelColumn(name, tuple(classes) or tuple(label["probs"]), label.get("kind") == "multi")


def _kept(rows: Iterable[Row], names: Sequence[str], skip: Callable[[str], None] | None) -> Iterator[Row]:
    for row in rows:
        missing = [name for name in names if _label(row, name).get("probs") is None]
        if not missing:
            yield row
            continue
        message = f"{row.where}: labels.{missing[0]}: could not be labelled"
        if skip is None:
            raise InputError(f"{message}; label it again, or pass --skip-unlabelled")
        skip(message)


def _label(row: Row, name: str) -> Mapping[str, Any]:
    labels = _labels(row)
    if name not in labels:
        raise InputError(f"{row.where}: labels.{name}: is missing; the row has {', '.join(labels) or 'no labels'}")
    label = labels[name]
    if label is None:
        return {"probs": None}
    if not isinstance(label, dict) or not isinstance(label.get("probs", {}), dict | None):
        raise InputError(f"{row.where}: labels.{name}: must be an object with probs, got {label!r}; use `vsgen label`")
    return label


def _labels(row: Row) -> Mapping[str, object]:
    labels = row.fields.get("labels")
    if not isinstance(labels, dict) or not labels:
        source = row.where.rpartition(":")[0].replace("<stdin>", "-")
        add = shlex.join(["vsgen", "label", source, "--name", "NAME", "--classes", "A,B", "-o", "labeled.jsonl"])
        raise InputError(f"{row.where}: has no labels; add one: {add}")
    return labels


def _is_prob(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1 + _SLACK
