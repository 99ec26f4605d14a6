"""``vsgen label --flips``: the first rows are asked about again, and nothing else changes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Vsgen
from vsgen.jobs.label_flips import FIRST

ASKED = ("--name", "queue", "--classes", "how-to,bug,billing", "-m", "tiny")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    texts = [f"The bill {i} of my bike light is wrong." for i in range(FIRST + 2)]
    path.write_text("".join(json.dumps({"text": text, "queue": "bug"}) + "\n" for text in texts))
    return path


@pytest.mark.slow
def test_the_first_rows_are_asked_again_and_no_row_changes(vsgen: Vsgen, rows: Path, tmp_path: Path) -> None:
    plain, out = vsgen("label", rows, *ASKED).stdout, tmp_path / "out.jsonl"
    ended = vsgen("label", rows, *ASKED, "--flips", "-o", out)
    assert ended.exit_code == 0, ended.stderr
    assert out.read_text() == plain
    assert len(re.findall(rf"of {FIRST} rows: ", ended.stderr)) == 2
    again = vsgen("label", rows, *ASKED, "--flips", "-o", out, "--resume")
    assert re.findall("queue: .*", again.stderr) == re.findall("queue: .*", ended.stderr)
    assert "calls made now" not in again.stderr


@pytest.mark.slow
def test_rows_of_known_class_are_asked_again_in_their_place(vsgen: Vsgen, rows: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("".join(rows.read_text().splitlines(keepends=True)[:5]))
    ended = vsgen("label", rows, *ASKED, "--flips", "--calibrate", few)
    assert len(re.findall("of 5 rows: ", ended.stderr)) == 2


def test_the_plan_and_a_budget_count_what_is_asked_again(vsgen: Vsgen, rows: Path, tmp_path: Path) -> None:
    plan = json.loads(vsgen("label", rows, *ASKED, "--flips", "--dry-run", "--json").stdout)
    assert {part["name"]: part["calls"] for part in plan["parts"]} == {
        "label queue": FIRST + 2,
        "flips of label queue": 6 * FIRST - FIRST,
    }
    few = tmp_path / "few.jsonl"
    few.write_text("".join(rows.read_text().splitlines(keepends=True)[:4]))
    ended = vsgen("label", few, *ASKED, "--flips", "--max-calls", "13")
    assert (ended.exit_code, len(ended.stdout.splitlines())) == (1, 2)


@pytest.mark.slow
def test_a_budget_of_just_what_is_planned_is_enough(vsgen: Vsgen, rows: Path) -> None:
    ended = vsgen("label", rows, *ASKED, "--flips", "--max-calls", str(6 * FIRST + 2))
    assert (ended.exit_code, len(ended.stdout.splitlines())) == (0, FIRST + 2), ended.stderr


def test_what_orders_say_that_are_asked_anyway_costs_nothing(vsgen: Vsgen, rows: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("".join(rows.read_text().splitlines(keepends=True)[:3]))
    ended = vsgen("label", few, *ASKED, "--permutations", "all")
    assert re.search(r"queue: the orders of its classes differ in the likeliest one in \d of 3 rows: ", ended.stderr)
    assert "calls made now: 9 score" in ended.stderr
