"""Files under one name appear together, each whole, and replace nothing that nobody wanted replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsgen.errors import OutputError
from vsgen.files.numbered import Numbered


def write(path: Path, *texts: bytes, overwrite: bool = False) -> list[Path]:
    with Numbered(path, overwrite=overwrite) as files:
        for text in texts:
            files.begin().write(text)
        return files.place()


def test_names_go_on_where_they_are_free(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    assert [one.name for one in write(path, b"a", b"b")] == ["calls.jsonl", "calls.2.jsonl"]
    assert [one.name for one in write(path, b"c")] == ["calls.3.jsonl"]
    assert [one.read_bytes() for one in sorted(tmp_path.iterdir())] == [b"b", b"c", b"a"]


def test_overwriting_begins_with_the_first_name(tmp_path: Path) -> None:
    path = tmp_path / "calls"
    write(path, b"a")
    assert write(path, b"b", overwrite=True) == [path]
    assert path.read_bytes() == b"b"


def test_nothing_is_there_before_all_is(tmp_path: Path) -> None:
    with Numbered(tmp_path / "calls.jsonl", overwrite=False) as files:
        files.begin().write(b"a")
        files.begin().write(b"b")
        assert {one.suffix for one in tmp_path.iterdir()} == {".part"}
    assert not list(tmp_path.iterdir())


def test_what_has_come_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    with Numbered(path, overwrite=False) as files:
        files.begin().write(b"a")
        path.write_bytes(b"mine")
        with pytest.raises(OutputError, match="appeared"):
            files.place()
    assert path.read_bytes() == b"mine"
