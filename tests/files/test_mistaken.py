"""What is given in place of JSON lines is named for what it is."""

from __future__ import annotations

import gzip

import pytest

from vsgen.files.mistaken import mistaken

ROW = '{"text": "a, b"}\r\n'


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (gzip.compress(ROW.encode()) + b",", "is compressed with gzip; unpack it with gzip -d"),
        (ROW.encode("utf-16"), "is UTF-16, as PowerShell writes; save it as UTF-8"),
        (b"text,mood", "looks like CSV; "),
        (b'  [{"text": 1}]', "is one JSON array; "),
        (b'{"text": ', None),
    ],
    ids=["gzip", "UTF-16", "CSV", "array", "cut"],
)
def test_a_first_line_tells_what_a_file_is(line: bytes, found: str | None) -> None:
    problem = mistaken("rows.data", line)
    assert problem is None if found is None else str(problem).startswith(found)
