"""The fields of rows as columns: their types are found in the first rows, and held to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Final

from vsgen.errors import InputError
from vsgen.export.packed import FIELD
from vsgen.export.table import FLAG, INTEGER, NUMBER, TEXT, Column
from vsgen.values import Row

_SEEN = 1000
"""Rows that are looked at before the types are fixed."""
_APART: Final = frozenset({"labels", "meta", FIELD})
"""What is no field of the user's, or has columns of its own."""


def field_columns(rows: Iterator[Row]) -> tuple[dict[str, Column], Iterator[Row]]:
    """The columns of the fields that the first rows have, and the rows again.

    Whole numbers become numbers where some row has a fraction; lists and objects are JSON text.
    """
    seen = list(islice(rows, _SEEN))
    found: dict[str, Column | None] = {}
    for row in seen:
        for name, value in row.fields.items():
            if name not in _APART:
                found[name] = _wider(found.get(name), _column(value))
    return {name: column or TEXT for name, column in found.items()}, chain(seen, rows)


def field_values(row: Row, columns: Mapping[str, Column]) -> dict[str, object]:
    """The row's value for each column; None where it has none.

    Raises:
        InputError: A value is not of the column's type, or has no column; names the row.
    """
    if unknown := [name for name in row.fields if name not in columns and name not in _APART]:
        raise InputError(f"{row.where}: {unknown[0]}: the first {_SEEN} rows have no such field; export these apart")
    return {name: _value(row, name, column) for name, column in columns.items()}


def text_of(row: Row, name: str) -> str:
    """A field that must be text.

    Raises:
        InputError: It is missing or no text; names the row and its fields.
    """
    value = row.fields.get(name)
    if isinstance(value, str):
        return value
    fields = ", ".join(key for key in row.fields if key not in _APART)
    raise InputError(f"{row.where}: {name}: must be text, got {value!r}; the row has {fields}: name one with --on")


def _column(value: object) -> Column | None:
    match value:
        case None:
            return None
        case bool():
            return FLAG
        case int():
            return INTEGER
        case float():
            return NUMBER
        case _:
            return TEXT


def _wider(known: Column | None, new: Column | None) -> Column | None:
    if known is None or new is None or known == new:
        return known or new
    return NUMBER if {known, new} == {INTEGER, NUMBER} else TEXT


def _value(row: Row, name: str, column: Column) -> object:
    value = row.fields.get(name)
    if value is None:
        return None
    if column == TEXT:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if _wider(column, _column(value)) == column:
        return float(value) if column == NUMBER and isinstance(value, int) else value
    raise InputError(
        f"{row.where}: {name}: must be {column.kind} as in the first {_SEEN} rows, got {value!r}; "
        "put such a row among the first"
    )
