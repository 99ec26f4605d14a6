"""Rows in: every line is a row, a named error or a named skip."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.errors import InputError
from vsgen.files.rows import read_rows

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
    with pytest.raises(InputError, match=r"rows\.jsonl:3: not (a )?JSON.*--on-error skip"):
        list(read_rows(str(path)))


def test_skipped_lines_are_told_and_counted_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\nbad\n{"a": 2}\n[3]\n')
    told: list[str] = []
    rows = list(read_rows(str(path), skip=told.append))
    assert [(row.index, row.fields) for row in rows] == [(0, {"a": 1}), (2, {"a": 2})]
    assert [row.where.split("/")[-1] for row in rows] == ["rows.jsonl:1", "rows.jsonl:3"]
    assert [message.split(":")[1] for message in told] == ["2", "4"]


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n')
    assert [row.fields for row in read_rows(str(path))] == [{"a": 1}]


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        list(read_rows(str(tmp_path / "nowhere.jsonl")))
    with pytest.raises(InputError, match="directory"):
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
