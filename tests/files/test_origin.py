"""What an output is made from, and what is said of a later one that differs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vsgen.files.origin import SEEN, Difference, Origin, changed
from vsgen.files.rows import RowInput, Seen

PARTS: dict[str, object] = {"template": "0a1b2c3d4e5f", "seed": 0, "input": None, "--family": ["beta"], "-n": 10}


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
        ({"--on-error": "skip"}, []),
        ({"--on-error": "stop"}, []),
    ],
)
def test_changes_are_said_in_words(now: dict[str, object], words: list[str]) -> None:
    assert changed(PARTS, PARTS | now) == words


def test_a_part_that_is_not_named_now_is_not_compared() -> None:
    assert changed(PARTS, {"seed": 0}) == []


def test_lines_that_were_skipped_may_not_stop_the_next_run() -> None:
    assert changed({"--on-error": "stop"}, {"--on-error": "skip"}) == []
    assert changed({"--on-error": "skip"}, {"--on-error": "stop"}) == ["--on-error was skip and is stop"]


def rows(path: Path, *numbers: int) -> RowInput:
    path.write_text("".join(json.dumps({"number": one}) + "\n" for one in numbers))
    return RowInput(str(path))


@pytest.mark.parametrize(
    ("now", "whole", "said"),
    [
        ((1, 2, 3), True, Difference([])),
        ((1, 2, 3, 4), True, Difference([], grown=True)),
        ((1, 2, 3, 4), False, Difference([])),
        ((1, 2), True, None),
        ((1, 2, 4), True, None),
        ((2, 1, 3, 4), True, None),
        ((), True, None),
    ],
)
def test_an_input_may_grow_at_its_end_and_change_nowhere_else(
    tmp_path: Path, now: tuple[int, ...], whole: bool, said: Difference | None
) -> None:
    before = rows(tmp_path / "before", 1, 2, 3).look()._replace(whole=whole)
    origin = Origin({}, rows(tmp_path / "now", *now), grows=True)
    refused = Difference(["the input's content has changed within the 3 rows that were read"])
    assert origin.since({SEEN: before._asdict()}) == (said or refused)


def test_an_input_whose_rows_are_used_again_may_not_grow(tmp_path: Path) -> None:
    before: Seen = rows(tmp_path / "before", 1, 2).look()
    since = Origin({}, rows(tmp_path / "now", 1, 2, 3)).since({SEEN: before._asdict()})
    assert since == Difference(["the input has rows after its first 2, and each row is used again"])
