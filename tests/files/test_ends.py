"""How a run ended, and what is said of a later one that differs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.files.ends import End, changed, last_end
from vsgen.files.journal import FileJournal
from vsgen.values import Verified, Verify

PARTS: dict[str, object] = {"template": "0a1b2c3d4e5f", "seed": 0, "input": None, "--family": ["beta"], "-n": 10}


def ended(path: Path, **parts: object) -> None:
    with FileJournal(path) as journal:
        journal.end(PARTS | parts, complete=True, passed=False, summary={"kept": 3})


def test_the_last_end_of_a_journal_is_found_behind_and_before_other_lines(tmp_path: Path) -> None:
    path = tmp_path / "j"
    assert last_end(None) is None and last_end(path) is None
    with FileJournal(path) as journal:
        journal.add(journal.key("m", Verify((), "a")), "m", Verify((), "a"), Verified(True))
    assert last_end(path) is None
    ended(path, seed=1)
    ended(path)
    with FileJournal(path) as journal:
        journal.add(
            journal.key("m", Verify((), "b")),
            "m",
            Verify((), "b"),
            Verified(True, '\n{"kind":"end","complete":true}\n'),
        )
    assert last_end(path) == End(PARTS, complete=True, passed=False, summary={"kept": 3})


@given(cut=st.integers(1, 400), flipped=st.integers(1, 255))
def test_a_torn_or_damaged_end_is_none(tmp_path_factory: pytest.TempPathFactory, cut: int, flipped: int) -> None:
    path = tmp_path_factory.mktemp("ends") / "j"
    ended(path, seed=1)
    before = last_end(path)
    first = path.stat().st_size
    ended(path)
    whole = path.read_bytes()
    at = max(first, len(whole) - cut)
    path.write_bytes(whole[:at])
    assert last_end(path) == before
    path.write_bytes(whole[:at] + bytes([whole[at] ^ flipped]) + whole[at + 1 :])
    assert last_end(path) == before


def test_an_end_of_before_there_were_parts_has_none(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"kind":"end","origin":"abc/tiny/0/","complete":true}\n')
    assert last_end(path) == End(None, complete=True)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({}, []),
        ({"seed": 1}, ["the seed was 0 and is 1"]),
        ({"seed": 1, "-n": 5}, ["the seed was 0 and is 1", "-n was 10 and is 5"]),
        ({"-n": 20}, []),
        ({"-n": None}, ["-n was 10 and is not given"]),
        ({"input": "rows.jsonl"}, ["the input was not given and is rows.jsonl"]),
        ({"template": "0a1b2c3d4e5e"}, ["the template has changed"]),
        ({"--family": ("beta",)}, []),
        ({"--family": ()}, ['--family was ["beta"] and is []']),
        ({"of a later version": 1}, []),
    ],
)
def test_changes_are_said_in_words(now: dict[str, object], words: list[str]) -> None:
    assert changed(PARTS, PARTS | now) == words


def test_a_part_that_is_not_named_now_is_not_compared() -> None:
    assert changed(PARTS, {"seed": 0}) == []
