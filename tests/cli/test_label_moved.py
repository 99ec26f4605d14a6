"""Labels of rows that move: what was asked of a row is known wherever the row stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.tickets import CATEGORY, lines, tickets, tiny, write

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

VOTES = (*CATEGORY, "--method", "votes", "--set", "replies=3", "--no-meta")
"""Labels that are drawn, so that they hang on randomness."""


@pytest.fixture(autouse=True)
def _opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsgen.jobs.desk.open_model", lambda *_, **__: tiny())


def test_a_line_inserted_at_the_top_is_all_that_is_asked_anew(vsgen: Vsgen, tmp_path: Path) -> None:
    new, *known = tickets(6)
    source, journal = tmp_path / "rows.jsonl", tmp_path / "calls.journal"
    asked = ("label", source, *VOTES, "-o", tmp_path / "out.jsonl", "--journal", journal)
    write(source, known)
    assert "calls made now: 15 generate" in vsgen(*asked).stderr
    before = lines((tmp_path / "out.jsonl").read_text())
    write(source, [new, *known])
    assert "calls made now: 3 generate" in vsgen(*asked, "--overwrite").stderr
    assert lines((tmp_path / "out.jsonl").read_text())[1:] == before


def test_rows_in_another_order_and_without_some_ask_nothing(vsgen: Vsgen, tmp_path: Path) -> None:
    rows = tickets(4)
    source, journal, out = tmp_path / "rows.jsonl", tmp_path / "calls.journal", tmp_path / "out.jsonl"
    asked = ("label", source, *VOTES, "-o", out, "--journal", journal)
    write(source, rows)
    assert vsgen(*asked).exit_code == 0
    known = {row["id"]: row for row in lines(out.read_text())}
    write(source, [rows[3], rows[0], rows[2]])
    assert "calls made now: none" in vsgen(*asked, "--overwrite").stderr
    assert lines(out.read_text()) == [known["t3"], known["t0"], known["t2"]]


def test_an_interrupted_run_goes_on_after_a_line_was_inserted_at_the_top(vsgen: Vsgen, tmp_path: Path) -> None:
    new, *known = tickets(5)
    source, out, journal = tmp_path / "rows.jsonl", tmp_path / "out.jsonl", tmp_path / "out.jsonl.journal"
    write(source, known)
    assert vsgen("label", source, *VOTES, "-o", out).exit_code == 0
    journal.write_bytes(journal.read_bytes()[:-5])  # killed while it wrote its last line
    out.rename(tmp_path / "out.jsonl.part")
    write(source, [new, *known])
    assert "calls made now: 3 generate" in vsgen("label", source, *VOTES, "-o", out, "--resume").stderr
    assert [row["id"] for row in lines(out.read_text())] == ["t0", "t1", "t2", "t3", "t4"]


def test_equal_rows_are_labelled_each_by_its_own_draws(vsgen: Vsgen, tmp_path: Path) -> None:
    (row,) = tickets(1)
    source, journal = write(tmp_path / "rows.jsonl", [row, row, row]), tmp_path / "calls.journal"
    ended = vsgen("label", source, *VOTES, "-o", tmp_path / "out.jsonl", "--journal", journal)
    assert "calls made now: 9 generate" in ended.stderr
