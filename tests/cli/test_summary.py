"""``--summary``: the counts of a command for machines, as docs/summary.md describes them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.tickets import CATEGORY, tickets, write

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

FAST = ("--set", "dedup.embedder=hash", "-m", "tiny")
PROMPTS = ("-n", 2, "--max-bins", 11)


def words(command: str, folder: Path) -> tuple[object, ...]:
    """A short command of each kind, with rejects where it may have some."""
    match command:
        case "run":
            return ("run", "support-tickets", "-n", 7, "--rejects", folder / "rejects.jsonl", *FAST)
        case "label":
            rows = write(folder / "rows.jsonl", tickets(6))
            chosen = ("--select", "borderline:0.5", "--rejects", folder / "rejects.jsonl")
            return ("label", rows, *CATEGORY, *chosen, "-m", "tiny")
        case "measure":
            return ("measure", *PROMPTS, "--samples", 3, "--no-probes", "-m", "tiny")
        case _:
            return ("targets", *PROMPTS)


def documented() -> set[str]:
    """The fields of the table in docs/summary.md that every summary has."""
    text = (Path(__file__).parents[2] / "docs" / "summary.md").read_text()
    return set(re.findall(r"^\| `(\w+)` \|(?!.*\| only if )", text, re.MULTILINE))


@pytest.mark.parametrize("command", ["run", "label", "measure", "targets"])
def test_the_summary_is_what_is_documented_printed_and_in_the_journal(
    vsgen: Vsgen, tmp_path: Path, command: str
) -> None:
    out, path = tmp_path / "out.jsonl", tmp_path / "summary.json"
    ended = vsgen(*words(command, tmp_path), "-o", out, "--summary", path)
    assert ended.exit_code == 0, ended.stderr
    (line,) = path.read_text().splitlines()
    summary: dict[str, Any] = json.loads(line)
    assert summary.keys() == documented()
    assert summary["command"] == command
    assert (summary["model"] or "none").startswith("none" if command == "targets" else "tiny@")
    assert summary["rows"] == len(out.read_text().splitlines()) > 0
    rejects = tmp_path / "rejects.jsonl"
    lost = [json.loads(each)["reason"] for each in rejects.read_text().splitlines()] if rejects.exists() else []
    assert summary["rejected"] == {reason: lost.count(reason) for reason in sorted(set(lost))}
    assert summary["candidates"] == summary["rows"] + len(lost)
    assert summary["acceptance"] == summary["rows"] / summary["candidates"]
    ends = " + ".join([f"{summary['rows']} kept", *(f"{n} {reason}" for reason, n in summary["rejected"].items())])
    assert f"= {ends}\n" in ended.stderr
    if command != "targets":
        calls = ", ".join(f"{count} {kind}" for kind, count in summary["calls"].items())
        assert f"calls made now: {calls}\n" in ended.stderr and calls
        *_, last = out.with_name("out.jsonl.journal").read_text().splitlines()
        assert json.loads(last)["summary"] == summary


def test_a_resume_of_a_complete_output_writes_the_summary_of_the_run_that_made_it(vsgen: Vsgen, tmp_path: Path) -> None:
    out, path = tmp_path / "out.jsonl", tmp_path / "summary.json"
    asked = (*words("run", tmp_path), "-o", out, "--summary", path)
    assert vsgen(*asked).exit_code == 0
    first = path.read_bytes()
    path.unlink()
    again = vsgen(*asked, "--resume")
    assert "complete already: 7 rows" in again.stderr and path.read_bytes() == first


def test_a_run_that_ends_short_has_a_summary_that_says_why(vsgen: Vsgen, tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    ended = vsgen("run", "jokes", "-n", 500, "--max-calls", 2, "--summary", path, *FAST)
    assert ended.exit_code == 1
    summary = json.loads(path.read_text())
    assert summary["wanted"] == 500 and summary["rows"] == len(ended.stdout.splitlines())
    assert summary["stopped"].startswith("--max-calls: all 2 are used")


def test_a_command_that_fails_writes_none_and_leaves_what_was_there(vsgen: Vsgen, tmp_path: Path) -> None:
    path, rows = tmp_path / "summary.json", tmp_path / "rows.jsonl"
    path.write_text("of before")
    rows.write_text('{"animal": "cat"}\nnot json\n')
    assert vsgen("run", "jokes", rows, "--summary", path, *FAST).exit_code == 2
    assert path.read_text() == "of before"


@pytest.mark.parametrize(
    ("command", "flags", "how"),
    [
        ("run", (), "free some space, then run:\n  vsgen run --resume jokes"),
        ("run", ("--overwrite",), "free some space, then run:\n  vsgen run jokes"),
        ("targets", (), "free some space, then run the same command with --overwrite"),
    ],
)
def test_a_summary_without_space_leaves_a_complete_file_and_says_how_to_get_it(
    vsgen: Vsgen, tmp_path: Path, command: str, flags: tuple[str, ...], how: str
) -> None:
    out, asked = tmp_path / "out.jsonl", ("jokes", "-n", 1, *FAST) if command == "run" else ()
    ended = vsgen(command, *asked, "-o", out, *flags, "--summary", "/dev/full")
    assert ended.exit_code == 4 and out.exists()
    assert f"{out} is complete, only its summary is missing; {how}" in ended.stderr
    if command == "run":
        assert vsgen("run", *asked, "-o", out, *(flags or ("--resume",)), "--summary", tmp_path / "s").exit_code == 0
        assert json.loads((tmp_path / "s").read_text())["rows"] == 1


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.part", "out.jsonl.journal", "rows.jsonl"])
def test_it_overwrites_no_other_file_of_the_command(vsgen: Vsgen, tmp_path: Path, name: str) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"animal": "cat"}\n')
    ended = vsgen("run", "jokes", rows, "-o", tmp_path / "out.jsonl", "--summary", tmp_path / name, *FAST)
    assert ended.exit_code == 2 and "is named twice" in ended.stderr
    assert rows.read_text() == '{"animal": "cat"}\n'


def test_a_folder_that_is_not_there_is_named_with_the_status_of_outputs(vsgen: Vsgen, tmp_path: Path) -> None:
    ended = vsgen("run", "jokes", "-n", 1, "--summary", tmp_path / "nowhere" / "s.json", *FAST)
    assert ended.exit_code == 4 and "nowhere/s.json" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_pipe_gets_it_and_no_file_takes_the_place_of_what_is_no_file(vsgen: Vsgen, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert vsgen("run", "jokes", "-n", 1, "--summary", pipe, *FAST).exit_code == 0
    assert json.loads(os.read(reading, 1 << 16))["rows"] == 1
    os.close(reading)
    assert pipe.is_fifo()
