"""Rows in from Python: mappings, taken one by one as they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

import orjson

from vsgen.errors import InputError
from vsgen.files.rows import Seen, Skip
from vsgen.values import Row

_SHOWN = 60


class GivenRows:
    """Mappings in place of a file; what makes them runs where the flows run."""

    name = "rows"

    def __init__(self, rows: Iterable[Mapping[str, object]]) -> None:
        self._rows = iter(rows)

    def reader(self, *, wake: Callable[[], None], skip: Skip | None = None) -> GivenReader:
        """Begin to take them; the arguments are those of `vsgen.files.rows.RowReader`."""
        del wake  # nothing comes from another thread
        return GivenReader(self._rows, skip)


class GivenReader:
    """As `vsgen.files.rows.RowReader`, over mappings."""

    def __init__(self, rows: Iterable[Mapping[str, object]], skip: Skip | None) -> None:
        self._rows: Iterator[Mapping[str, object]] = iter(rows)
        self._skip = skip
        self._taken = 0
        self.ended = False
        """All rows are taken."""

    @property
    def seen(self) -> Seen | None:
        """Nothing is compared: no file is made from them."""
        return None

    def take(self) -> Row | None:
        """The next row; None if there are no more.

        Raises:
            InputError: It is no mapping, or holds what JSON cannot.
        """
        for fields in self._rows:
            number, self._taken = self._taken, self._taken + 1
            if (problem := _problem(fields)) is None:
                return Row(number, fields, f"rows[{number}]")
            problem = f"rows[{number}]: {problem}: got {str(fields)[:_SHOWN]!r}"
            if self._skip is None:
                self.ended = True
                raise InputError(problem)
            self._skip(problem)
        self.ended = True
        return None

    def left(self) -> bool:
        """Whether there is another row."""
        for first in self._rows:
            self._rows = chain([first], self._rows)
            return True
        self.ended = True
        return False

    def close(self) -> None:
        """Nothing is open."""


def _problem(fields: object) -> str | None:
    if not isinstance(fields, Mapping):
        return "not a mapping of names to values"
    try:
        orjson.dumps(dict(fields))
    except TypeError as error:
        return f"holds what JSON cannot ({error})"
    return None
