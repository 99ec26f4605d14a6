"""What a journal tells of its runs, the last word first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.files.ends import Begin, End, told
from vsgen.files.journal import FileJournal
from vsgen.values import Verified, Verify

PARTS: dict[str, object] = {"template": "0a1b2c3d4e5f", "seed": 0, "input": None, "--family": ["beta"], "-n": 10}


def ended(path: Path, **parts: object) -> None:
    with FileJournal(path) as journal:
        journal.end(PARTS | parts, complete=True, passed=False, summary={"kept": 3})


def test_the_last_end_of_a_journal_is_found_behind_and_before_other_lines(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.touch()
    assert list(told(path)) == []
    with FileJournal(path) as journal:
        journal.add(journal.key("m", Verify((), "a")), "m", Verify((), "a"), Verified(True))
    assert list(told(path)) == []
    ended(path, seed=1)
    ended(path)
    with FileJournal(path) as journal:
        journal.add(
            journal.key("m", Verify((), "b")),
            "m",
            Verify((), "b"),
            Verified(True, '\n{"kind":"end","complete":true}\n'),
        )
    last = End(PARTS, complete=True, passed=False, summary={"kept": 3})
    assert list(told(path)) == [last, replace(last, parts=PARTS | {"seed": 1})]


def test_a_run_that_begins_has_the_last_word_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "j"
    ended(path)
    with FileJournal(path) as journal:
        journal.begin(PARTS | {"seed": 1}, "out.jsonl")
    began = Begin(PARTS | {"seed": 1}, "out.jsonl")
    assert list(told(path))[:1] == [began]
    with FileJournal(path) as journal:
        journal.end(PARTS | {"seed": 1}, complete=True, made={"output": "0a"})
    assert [type(one) for one in told(path)] == [End, Begin, End]
    assert next(told(path)) == End(PARTS | {"seed": 1}, complete=True, made={"output": "0a"})


@given(cut=st.integers(1, 400), flipped=st.integers(1, 255))
def test_a_torn_or_damaged_end_is_none(tmp_path_factory: pytest.TempPathFactory, cut: int, flipped: int) -> None:
    path = tmp_path_factory.mktemp("ends") / "j"
    ended(path, seed=1)
    before = list(told(path))
    first = path.stat().st_size
    ended(path)
    whole = path.read_bytes()
    at = max(first, len(whole) - cut)
    path.write_bytes(whole[:at])
    assert list(told(path)) == before
    path.write_bytes(whole[:at] + bytes([whole[at] ^ flipped]) + whole[at + 1 :])
    assert list(told(path)) == before


def test_an_end_of_before_there_were_parts_has_none(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"kind":"end","origin":"abc/tiny/0/","complete":true}\n')
    assert list(told(path)) == [End(None, complete=True)]
