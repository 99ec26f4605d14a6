"""Rows in from Python: mappings, taken one by one as they are needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

import orjson

from vsgen.errors import InputError
from vsgen.files.fields import DEEP, Skip, too_deep
from vsgen.files.rows import Seen
from vsgen.values import Row

_SHOWN: Final = 60
_LONG: Final = 0.01
"""Seconds after which a row was so slow to come that what is there already is begun with before the next."""

_NONE = object()


class MakingError(InputError):
    """What makes the rows has raised an error of its own, which is the cause of this one."""


class GivenRows:
    """Mappings in place of a file; what makes them runs in the thread of the flows."""

    name = "rows"

    def __init__(self, rows: Iterable[Mapping[str, object]]) -> None:
        self._rows = rows

    def reader(self, *, wake: Callable[[], None], skip: Skip | None = None) -> GivenReader:
        """Begin to take them; the arguments are those of `vsgen.files.rows.RowReader`."""
        return GivenReader(self._rows, wake=wake, skip=skip)


class GivenReader:
    """As `vsgen.files.rows.RowReader`, over mappings."""

    def __init__(
        self, rows: Iterable[Mapping[str, object]], *, wake: Callable[[], None], skip: Skip | None = None
    ) -> None:
        self._rows: Iterator[object] = iter(rows)
        self._wake = wake
        self._skip = skip
        self._taken = 0
        self._slow = False
        self.ended = False
        """All rows are taken."""

    @property
    def seen(self) -> Seen | None:
        """Nothing is compared: no file is made from them."""
        return None

    def take(self) -> Row | None:
        """The next row, as a file would hold it; None if there are no more, or the latest was slow to come.

        Raises:
            InputError: It is no mapping, or holds what JSON cannot.
        """
        if self._slow:
            self._slow = False
            self._wake()
            return None
        begun = time.monotonic()
        while (given := self._next()) is not _NONE:
            number, self._taken = self._taken, self._taken + 1
            where = f"rows[{number}]"
            try:
                fields = _fields(given, where)
            except InputError as error:
                self._pass_over(error)
                continue
            self._slow = time.monotonic() - begun > _LONG
            return Row(number, fields, where)
        self.ended = True
        return None

    def _next(self) -> object:
        """The next row, whatever it is; whatever stops what makes them is an error of the input."""
        try:
            return next(self._rows, _NONE)
        except Exception as error:
            self.ended = True
            problem = f"cannot be made: {type(error).__name__}: {error}"
            raise MakingError(f"rows[{self._taken}]: {problem}; fix the code that makes the rows") from error

    def left(self) -> bool:
        """Whether there is another row."""
        if (first := self._next()) is not _NONE:
            self._rows = chain([first], self._rows)
            return True
        self.ended = True
        return False

    def close(self) -> None:
        """Nothing is open."""

    def _pass_over(self, error: InputError) -> None:
        if self._skip is None:
            self.ended = True
            raise error
        self._skip(str(error))


def _fields(given: object, where: str) -> dict[str, Any]:
    """A copy, since whoever gives a mapping may change it afterwards."""
    if not isinstance(given, Mapping):
        raise InputError(
            f"{where}: not a mapping of names to values: {_shown(given)}; give a mapping, or skip such rows"
        )
    try:
        line = orjson.dumps(dict(given))
        fields: dict[str, Any] = orjson.loads(line)
    except (TypeError, orjson.JSONDecodeError) as error:
        raise InputError(
            f"{where}: holds a value that JSON cannot represent ({error}): {_shown(given)}; give plain values"
        ) from None
    if too_deep(fields, line):
        raise InputError(f"{where}: {DEEP}: {_shown(given)}; give plain values")
    return fields


def _shown(given: object) -> str:
    try:
        return f"got {str(given)[:_SHOWN]!r}"
    except Exception as error:  # it is the caller's own, and may be nested without end
        return f"got {type(given).__name__}, which has no text ({type(error).__name__})"
