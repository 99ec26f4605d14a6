"""Flows for the rows of an input, in their order, as the rows come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, Protocol, TypeVar

from vsgen.files.given_rows import GivenRows
from vsgen.files.mistaken import without_rows
from vsgen.files.rows import RowInput, Seen
from vsgen.flow import Flow
from vsgen.jobs.desk import Desk
from vsgen.values import Row

R = TypeVar("R")


class Reader(Protocol):
    """Rows, taken one by one without waiting; see `vsgen.files.rows.RowReader`."""

    ended: bool

    @property
    def seen(self) -> Seen | None:
        """What was taken so far, as far as an output hangs on it."""
        ...

    def take(self) -> Row | None:
        """The next row, if it is there."""
        ...

    def left(self) -> bool:
        """Whether there is another row; waits until that is known."""
        ...

    def close(self) -> None:
        """No more are wanted."""
        ...


def open_rows(rows: str | Iterable[Mapping[str, object]]) -> RowInput | GivenRows:
    """A file by its path, standard input as ``-``, or mappings."""
    return RowInput(rows) if isinstance(rows, str) else GivenRows(rows)


def row_flows(
    rows: RowInput | GivenRows,
    flow: Callable[[Row, int], Flow[R] | None],
    desk: Desk,
    *,
    skip: Callable[[str], None] | None,
    again: bool = False,
) -> RowFlows[R]:
    """Begin to read an input, until the desk is closed.

    Args:
        rows: The input.
        flow: See `RowFlows`.
        desk: Whose engine is woken when there are more rows.
        skip: Gets the problem of a line that cannot be used; without it that is an error.
        again: See `RowFlows`.
    """
    reader = rows.reader(wake=desk.mailbox.wake, skip=skip)
    desk.on_close(reader.close)
    return RowFlows(reader, flow, name=rows.name, again=again)


class RowFlows(Generic[R]):
    """A source that never blocks; see `vsgen.ports.Source`."""

    def __init__(
        self, reader: Reader, flow: Callable[[Row, int], Flow[R] | None], *, name: str, again: bool = False
    ) -> None:
        """Set up.

        Args:
            reader: Of the rows.
            flow: Makes the flow of a row from the row and its number; None passes a row over.
            name: Of the input, for messages.
            again: Go through the rows over and over; they are kept in memory.
        """
        self._reader = reader
        self._flow = flow
        self._name = name
        self._again = again
        self._kept: list[Row] = []
        self._next = 0
        self._offset = 0
        self._empty = True

    @property
    def seen(self) -> Seen | None:
        """What was read of the input."""
        return self._reader.seen

    @property
    def rows(self) -> int | None:
        """The rows of a pass, where they are gone through again and the first pass is over."""
        return len(self._kept) if self._again and self._reader.ended else None

    @property
    def ended(self) -> bool:
        """Whether there are no more flows."""
        return self._reader.ended and not self._kept

    def left(self) -> bool:
        """Whether there is another row; waits until that is known."""
        return bool(self._kept) or self._reader.left()

    def take(self) -> Flow[R] | None:
        """The next flow; None if its row is not there yet, or there are no more.

        Raises:
            InputError: The input cannot be read, has no rows, or a line is not what it should be.
        """
        while (row := self._row()) is not None:
            self._empty = False
            if (flow := self._flow(row, self._offset + row.index)) is not None:
                return flow
        if self._reader.ended and self._empty:
            raise without_rows(self._name)
        return None

    def _row(self) -> Row | None:
        """A row's number is its own in the first pass, so that mending one row leaves the others' draws alone."""
        if (row := self._reader.take()) is not None:
            if self._again:
                self._kept.append(row)
            return row
        if not self._reader.ended or not self._kept:
            return None
        if self._next % len(self._kept) == 0:
            self._offset += self._kept[-1].index + 1
        self._next += 1
        return self._kept[(self._next - 1) % len(self._kept)]
