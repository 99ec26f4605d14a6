"""A table on its way to a trainer: named columns of one type each, and rows that are made as they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "text", "texts", "integer", "number", "flag", "class", "classes", "vector", "messages", "ids", "grid"
]


@dataclass(frozen=True, slots=True)
class Column:
    """What the values of a column are.

    ``class`` and ``classes`` are positions in `names`; a ``vector`` has one number per name; ``messages`` are objects
    of role and content; ``ids`` are token ids; a ``grid`` is a list of lists, of ids if `whole` and of numbers
    otherwise.
    """

    kind: Kind
    names: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows; each row has every column, and a value may be None."""

    columns: Mapping[str, Column]
    rows: Iterator[Mapping[str, object]]


TEXT, INTEGER, NUMBER, FLAG = Column("text"), Column("integer"), Column("number"), Column("flag")
MESSAGES, IDS = Column("messages"), Column("ids")
ID_GRID, NUMBER_GRID = Column("grid", whole=True), Column("grid")
