"""Rows in: every line is a row, a named error or a named skip."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event, Thread

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.errors import InputError
from vsgen.files.rows import RowInput, RowReader, read_rows
from vsgen.values import Row

OBJECTS = st.dictionaries(
    st.text(max_size=5), st.one_of(st.text(max_size=9), st.integers(-9, 9), st.none()), max_size=4
)


@given(objects=st.lists(OBJECTS, max_size=10))
def test_rows_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, objects: list[dict[str, object]]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_bytes(b"\n\n".join(orjson.dumps(one) for one in objects))
    rows = list(read_rows(str(path)))
    assert [row.fields for row in rows] == objects
    assert [row.index for row in rows] == list(range(len(objects)))


@pytest.mark.parametrize("line", ["{bad", "[1]", '"text"', "null", "\xff"])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n\n' + line.encode("latin-1") + b"\n")
    with pytest.raises(InputError, match=r"rows\.jsonl:3: not (a )?(JSON|UTF-8).*--on-error skip"):
        list(read_rows(str(path)))


def test_skipped_lines_are_reported_and_counted_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\nbad\n{"a": 2}\n[3]\n')
    problems: list[str] = []
    rows = list(read_rows(str(path), skip=problems.append))
    assert [(row.index, row.fields) for row in rows] == [(0, {"a": 1}), (2, {"a": 2})]
    assert [row.where.split("/")[-1] for row in rows] == ["rows.jsonl:1", "rows.jsonl:3"]
    assert [message.split(":")[1] for message in problems] == ["2", "4"]


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n')
    assert [row.fields for row in read_rows(str(path))] == [{"a": 1}]


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        list(read_rows(str(tmp_path / "nowhere.jsonl")))
    with pytest.raises(InputError, match="is a folder; name a JSONL file in it"):
        list(read_rows(str(tmp_path)))


@pytest.mark.parametrize(
    "number", ["9223372036854775807", "-9223372036854775808", "0.12345678901234567890123", "1e400"]
)
def test_numbers_that_can_be_kept_are_kept(tmp_path: Path, number: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"n": {number}, "digits": "{"1" * 40}"}}\n' if number != "1e400" else '{"n": 1e300}\n')
    (row,) = read_rows(str(path))
    assert row.fields["n"] in {int(number) if "." not in number and "e" not in number else float(number), 1e300}


@pytest.mark.parametrize("number", ["9223372036854775808", "-9223372036854775809", "1" + "0" * 300])
def test_a_number_that_would_lose_digits_is_named(tmp_path: Path, number: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"n": [1, {{"m": {number}}}]}}\n')
    with pytest.raises(InputError, match=r"rows\.jsonl:1: a number of more than 64 bits \(quote it\)"):
        list(read_rows(str(path)))


def taken(path: Path, problems: list[str] | None = None) -> tuple[list[Row], RowReader]:
    """All rows that a reader gives, waiting only while it says that there are none yet."""
    came = Event()
    reader = RowInput(str(path)).reader(wake=came.set, skip=None if problems is None else problems.append)
    rows: list[Row] = []
    while not reader.ended:
        came.clear()
        while (row := reader.take()) is not None:
            rows.append(row)
        if not reader.ended:
            assert came.wait(60), "nobody was woken"
    return rows, reader


@given(objects=st.lists(OBJECTS, max_size=10), blank=st.lists(st.integers(0, 2), min_size=10, max_size=10))
def test_a_reader_takes_the_rows_that_reading_gives(
    tmp_path_factory: pytest.TempPathFactory, objects: list[dict[str, object]], blank: list[int]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_bytes(b"".join(b"\n" * n + orjson.dumps(one) + b"\n" for n, one in zip(blank, objects, strict=False)))
    rows, reader = taken(path)
    assert rows == list(read_rows(str(path)))
    assert reader.seen == RowInput(str(path)).look()


def test_a_reader_waits_for_a_fifo_without_blocking_whoever_takes(tmp_path: Path) -> None:
    path, came = tmp_path / "fifo", Event()
    os.mkfifo(path)
    reader = RowInput(str(path)).reader(wake=came.set)
    assert reader.take() is None and not reader.ended
    with path.open("wb", buffering=0) as writer:
        for number in range(3):
            came.clear()
            writer.write(b'{"a": %d}\n' % number)
            assert came.wait(60)
            row = reader.take()
            assert row is not None and row.fields == {"a": number}
            assert reader.take() is None and not reader.ended
        came.clear()
        writer.write(b'{"a":')
        assert reader.take() is None, "half a line is no row"
        writer.write(b" 3}")
    assert reader.left()
    assert reader.take() == Row(3, {"a": 3}, f"{path}:4")
    assert not reader.left() and reader.ended


def test_a_reader_gives_the_rows_before_a_wrong_line_and_then_its_error(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\nno\n{"a": 3}\n')
    reader, rows = RowInput(str(path)).reader(wake=lambda: None), []
    with pytest.raises(InputError, match=r"rows\.jsonl:3: not JSON"):
        while reader.left():
            rows.append(reader.take())
    assert [row and row.index for row in rows] == [0, 1]
    assert reader.ended and reader.take() is None
    problems: list[str] = []
    kept, _ = taken(path, problems)
    assert [row.index for row in kept] == [0, 1, 3] and len(problems) == 1


def test_a_file_that_is_not_there_is_an_error_of_the_first_take(tmp_path: Path) -> None:
    reader = RowInput(str(tmp_path / "nowhere.jsonl")).reader(wake=lambda: None)
    assert reader.left(), "an error is left to be raised"
    with pytest.raises(InputError, match=r"nowhere\.jsonl: no such file"):
        reader.take()
    assert reader.ended


def test_what_an_input_holds_does_not_hang_on_blank_lines_or_line_ends(tmp_path: Path) -> None:
    def seen(text: str, rows: int | None = None) -> object:
        path = tmp_path / "rows.jsonl"
        path.write_bytes(text.encode())
        return RowInput(str(path)).look(rows)

    whole = seen('{"a":1}\n{"a":2}\n')
    assert whole == seen('\n{"a":1}\r\n\n{"a":2}')
    assert whole != seen('{"a":2}\n{"a":1}\n') != seen('{"a":2}\n')
    assert seen('{"a":1}\n{"a":2}\n', 1) == seen('{"a":1}\n{"a":3}\n', 1)
    assert str(whole).startswith("2 rows, digest ")


def test_a_pipe_is_looked_at_and_read_all_the_same(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    said = b"".join(orjson.dumps({"n": n, "pad": "x" * 40_000}) + b"\n" for n in range(5))
    writer = Thread(target=pipe.write_bytes, args=(said,))
    writer.start()
    given = RowInput(str(pipe))
    assert given.look(2)[::2] == (2, False) and given.look()[::2] == (5, True)
    assert [row.fields["n"] for row in given.rows()] == [0, 1, 2, 3, 4]
    writer.join(60)


def test_a_line_in_latin_1_is_named_as_such_and_one_that_is_skipped_is_not_told_how_to_skip(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"text": "a"}\n{"text": "caf\xe9"}\n')
    with pytest.raises(InputError, match=r"rows\.jsonl:2: not UTF-8 .*iconv -f latin1 -t utf-8.*--on-error skip"):
        list(read_rows(str(path)))
    skipped: list[str] = []
    assert len(list(read_rows(str(path), skip=skipped.append))) == 1
    assert skipped[0].endswith("; skipped")
    assert "--on-error" not in skipped[0]
