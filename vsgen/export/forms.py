"""The forms that rows are exported to: which columns a trainer reads, and what is in them.

=========================  ===========================================================================================
datasets                   every field, and per label a vector, the most probable class and the label's own figures
sentence-transformers      two texts and a vector (CrossEntropyLoss), or a text, a class and its probability
                           (BinaryCrossEntropyLoss), for a CrossEncoder
trl                        prompt and completion for SFT; the completion is a class drawn from the row's distribution
jsonl                      text, vector and classes, for a plain torch loop
distillkit, axolotl        token-level rows, see `vsgen.export.packed`
=========================  ===========================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import Any, Literal, TypeAlias, get_args

from vsgen.errors import InputError, OptionError
from vsgen.export.fields import field_columns, field_values, text_of
from vsgen.export.labels import LabelColumn, Labelled, labelled
from vsgen.export.packed import FIELD, axolotl_row, distillkit_row, unpack
from vsgen.export.table import ID_GRID, IDS, MESSAGES, NUMBER, NUMBER_GRID, TEXT, Column, Table
from vsgen.probability import invert
from vsgen.values import Message, Role, Row

Form: TypeAlias = Literal["datasets", "sentence-transformers", "trl", "jsonl", "distillkit", "axolotl"]
FORMS: tuple[Form, ...] = get_args(Form)
_FIGURES = ("entropy", "margin", "label_mass")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be exported, and how."""

    form: Form
    labels: tuple[str, ...] = ()
    """None are all."""
    on: str = "text"
    """The field that is classified."""
    classes: tuple[str, ...] = ()
    """Their order; the first row's if none are given."""
    pair: tuple[str, str] | None = None
    """sentence-transformers: two fields that are classified together."""
    draws: int = 1
    """trl: completions per row, drawn from its distribution; 0 is one, the most probable class."""
    seed: int = 0
    """Of these draws."""
    question: str = ""
    """trl: what is asked, before the text."""
    tail: int = 0
    """axolotl: tokens that the chat template writes after the end token."""


def export_table(rows: Iterator[Row], wanted: Wanted, *, skip: Callable[[str], None] | None = None) -> Table:
    """Make the table of a form; its rows are read as it is written.

    Args:
        rows: What `vsgen run` or `vsgen label` wrote.
        wanted: The form and its options.
        skip: Told of each row that could not be labelled, which is then left out; without it that is an error.

    Raises:
        InputError: A row does not have what the form needs; names the row.
        OptionError: The options do not go with the form or the labels.
    """
    match wanted.form:
        case "distillkit":
            return _distillkit(rows)
        case "axolotl":
            return _axolotl(rows, wanted.tail)
    found = labelled(rows, wanted.labels, wanted.classes, skip=skip)
    match wanted.form:
        case "datasets":
            return _datasets(found)
        case "sentence-transformers":
            return _pairs(found, wanted.pair) if wanted.pair else _statements(found, wanted.on)
        case "trl":
            return _completions(found, wanted)
        case "jsonl":
            return _vectors(found, wanted.on)


def _datasets(found: Labelled) -> Table:
    fields, rows = field_columns(found.rows)
    columns = dict(fields)
    for label in found.labels:
        columns |= _label_columns(label)
    if len(columns) < len(fields) + sum(len(_label_columns(label)) for label in found.labels):
        raise OptionError("--label: a field and a label's column have the same name; rename the field")

    def made() -> Iterator[Mapping[str, object]]:
        for row in rows:
            values = field_values(row, fields)
            for label in found.labels:
                values |= _values(label, row)
            yield values

    return Table(columns, made())


def _label_columns(label: LabelColumn) -> dict[str, Column]:
    columns = {
        label.name: Column("classes" if label.multi else "class", label.classes),
        f"{label.name}_probs": Column("vector", label.classes),
    }
    return columns | {f"{label.name}_{figure}": NUMBER for figure in _FIGURES}


def _values(label: LabelColumn, row: Row) -> dict[str, object]:
    vector, figures = label.vector(row), label.read(row)
    hard: object = [at for at, prob in enumerate(vector) if prob > 0.5] if label.multi else vector.index(max(vector))
    values = {label.name: hard, f"{label.name}_probs": vector}
    return values | {f"{label.name}_{figure}": figures.get(figure) for figure in _FIGURES}


def _pairs(found: Labelled, pair: tuple[str, str]) -> Table:
    label, (one, two) = _single(found, "without --pair each class is a separate row"), pair
    rows = ({one: text_of(row, one), two: text_of(row, two), "label": label.vector(row)} for row in found.rows)
    return Table({one: TEXT, two: TEXT, "label": Column("vector", label.classes)}, rows)


def _statements(found: Labelled, on: str) -> Table:
    label = found.only()
    rows = (
        {on: text_of(row, on), "class": name, "label": prob}
        for row in found.rows
        for name, prob in zip(label.classes, label.vector(row), strict=True)
    )
    return Table({on: TEXT, "class": TEXT, "label": NUMBER}, rows)


def _completions(found: Labelled, wanted: Wanted) -> Table:
    label = _single(found, "export it to datasets or jsonl")

    def rows() -> Iterator[Mapping[str, object]]:
        for row in found.rows:
            text = "\n\n".join(filter(None, [wanted.question, text_of(row, wanted.on)]))
            for name in _drawn(label, row, wanted):
                yield {"prompt": [_message("user", text)], "completion": [_message("assistant", name)]}

    return Table({"prompt": MESSAGES, "completion": MESSAGES}, rows())


def _drawn(label: LabelColumn, row: Row, wanted: Wanted) -> list[str]:
    """Classes, each drawn from the row's distribution: a student that learns them by cross entropy learns it.

    They are a systematic sample, so that of N draws a class has N times its probability, rounded up or down.
    """
    vector = label.vector(row)
    if not wanted.draws:
        return [label.classes[vector.index(max(vector))]]
    start = Random(f"{wanted.seed}/{label.name}/{row.fields.get('id', row.index)}").random()
    return [label.classes[invert(vector, (start + draw) / wanted.draws)] for draw in range(wanted.draws)]


def _vectors(found: Labelled, on: str) -> Table:
    label = found.only()
    rows = (
        {**_id(row), "text": text_of(row, on), "label": label.vector(row), "classes": [*label.classes]}
        for row in found.rows
    )
    return Table({"id": TEXT, "text": TEXT, "label": Column("vector", label.classes), "classes": Column("texts")}, rows)


def _id(row: Row) -> dict[str, object]:
    """The row's name, where it has one."""
    return {"id": row.fields["id"]} if "id" in row.fields else {}


def _single(found: Labelled, remedy: str) -> LabelColumn:
    label = found.only()
    if label.multi:
        raise OptionError(f"--label {label.name}: several of its classes may apply, and this form trains one; {remedy}")
    return label


def _distillkit(rows: Iterator[Row]) -> Table:
    columns = {"input_ids": IDS, "labels": IDS, "token_ids": ID_GRID, "top_values": NUMBER_GRID}
    return Table(columns, _token_rows(rows, lambda packed: distillkit_row(unpack(packed)[0])))


def _axolotl(rows: Iterator[Row], tail: int) -> Table:
    def made(packed: Mapping[str, Any]) -> dict[str, object]:
        return axolotl_row(unpack(packed)[0], _messages(packed.get("messages", ())), tail=tail)

    columns = {"messages": MESSAGES, "logprobs": NUMBER_GRID, "target_token_ids": ID_GRID}
    return Table(columns | {"prompt_tokens": IDS, "tokens": IDS}, _token_rows(rows, made))


def _messages(given: object) -> list[Message]:
    if not isinstance(given, list | tuple) or not all(map(_is_message, given)):
        raise InputError(
            f"{FIELD}.messages: must be a list of objects with role and content; give rows as vsgen wrote them"
        )
    return [Message(one["role"], one["content"]) for one in given]


def _is_message(given: object) -> bool:
    if not isinstance(given, dict) or not isinstance(given.get("content"), str):
        return False
    return given.get("role") in get_args(Role)


def _token_rows(
    rows: Iterator[Row], make: Callable[[Mapping[str, Any]], dict[str, object]]
) -> Iterator[Mapping[str, object]]:
    first = next(rows, None)
    if first is None:
        raise InputError("the input has no rows; give rows of `vsgen run --token-logprobs top=20`")
    return (_token_row(row, make) for row in chain([first], rows))


def _token_row(row: Row, make: Callable[[Mapping[str, Any]], dict[str, object]]) -> dict[str, object]:
    packed = row.fields.get(FIELD)
    if not isinstance(packed, dict):
        raise InputError(f"{row.where}: {FIELD}: is missing; make rows with `vsgen run --token-logprobs top=20`")
    try:
        return make(packed)
    except InputError as error:
        raise InputError(f"{row.where}: {error}") from error


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
