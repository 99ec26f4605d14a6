"""Flows for the rows of an input: in order, numbered, again if wanted, and never waiting for a row."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vsgen.errors import InputError
from vsgen.files.rows import Seen
from vsgen.flow import Flow
from vsgen.jobs.row_flows import RowFlows
from vsgen.values import Row


class Slow:
    """A reader whose rows come when a test lets them."""

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        self.rows = list(rows)
        self.ended = False

    @property
    def seen(self) -> Seen | None:
        return None

    def take(self) -> Row | None:
        return self.rows.pop(0) if self.rows else None

    def left(self) -> bool:
        return bool(self.rows)

    def close(self) -> None:
        pass


def named(row: Row, number: int) -> Flow[tuple[object, int]] | None:
    """The flow of a row is nothing but its name; one without a name has none."""
    return _value((row.fields["name"], number)) if "name" in row.fields else None


def _value(value: tuple[object, int]) -> Flow[tuple[object, int]]:
    return value
    yield ()


def value(flow: Flow[tuple[object, int]] | None) -> tuple[object, int] | None:
    if flow is None:
        return None
    with pytest.raises(StopIteration) as ended:
        next(flow)
    made: tuple[object, int] = ended.value.value
    return made


def row(index: int, **fields: object) -> Row:
    return Row(index, fields, f"rows:{index + 1}")


def test_flows_come_as_rows_come_and_a_row_that_is_not_there_yet_is_not_the_end() -> None:
    reader = Slow()
    flows = RowFlows(reader, named, name="rows")
    assert flows.take() is None and not flows.ended
    reader.rows = [row(0, name="a"), row(2, name="b")]
    assert [value(flows.take()) for _ in range(3)] == [("a", 0), ("b", 2), None]
    assert not flows.ended
    reader.ended = True
    assert flows.take() is None and flows.ended


def test_rows_that_are_gone_through_again_have_numbers_of_their_own() -> None:
    reader = Slow([row(0, name="a"), row(2, name="b")])
    flows = RowFlows(reader, named, name="rows", again=True)
    assert flows.rows is None
    first = [value(flows.take()) for _ in range(2)]
    reader.ended = True
    later = [value(flows.take()) for _ in range(4)]
    assert (first, later) == ([("a", 0), ("b", 2)], [("a", 3), ("b", 5), ("a", 6), ("b", 8)])
    assert flows.rows == 2 and not flows.ended and flows.left()


def test_rows_that_cannot_be_used_are_passed_over() -> None:
    reader = Slow([row(0, other=1), row(1, name="a"), row(2, other=1)])
    flows = RowFlows(reader, named, name="rows")
    assert value(flows.take()) == ("a", 1)
    reader.ended = True
    assert flows.take() is None and flows.ended


@pytest.mark.parametrize("again", [False, True])
def test_an_input_without_rows_is_an_error(again: bool) -> None:
    reader = Slow()
    flows = RowFlows(reader, named, name="rows.jsonl", again=again)
    assert flows.take() is None
    reader.ended = True
    with pytest.raises(InputError, match=r"rows\.jsonl: has no rows; give at least one JSON object"):
        flows.take()
