"""What a complete output was made from: ``--resume`` compares what its input holds, not what that is called."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.tickets import CATEGORY, tickets

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

FAST = ("--set", "dedup.embedder=hash", "-m", "tiny")
ANIMALS = ("cat", "cow", "owl")


def lines_of(rows: Sequence[object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def words(command: str) -> tuple[object, ...]:
    """A short command of each kind."""
    match command:
        case "run":
            return ("run", "jokes", "INPUT", *FAST)
        case "label":
            return ("label", "INPUT", *CATEGORY, "-m", "tiny")
        case _:
            prompt = "prompt=Name a day for a {{ thing }}."
            return ("measure", "random-day", "INPUT", "--set", prompt, "--samples", 2, "-m", "tiny")


def rows_of(command: str, count: int = 3) -> list[dict[str, object]]:
    if command == "label":
        return [{"text": one["text"]} for one in tickets(count)]
    return [{{"run": "animal"}.get(command, "thing"): animal} for animal in (*ANIMALS, "gnu")[:count]]


def with_input(command: str, given: object) -> list[object]:
    return [given if word == "INPUT" else word for word in words(command)]


COMMANDS = ["run", "label", "measure"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_complete_output_is_known_by_what_its_input_holds(vsgen: Vsgen, tmp_path: Path, command: str) -> None:
    first, moved, out = tmp_path / "rows.jsonl", tmp_path / "moved.jsonl", tmp_path / "out.jsonl"
    first.write_text(lines_of(rows_of(command)))
    assert (made := vsgen(*with_input(command, first), "-o", out)).exit_code == 0, made.stderr
    moved.write_text(lines_of(rows_of(command)).replace("\n", "\n\n"))
    for given, stdin in ((moved, None), ("-", moved.read_text())):
        ended = vsgen(*with_input(command, given), "-o", out, "--resume", stdin=stdin)
        assert ended.exit_code == 0 and "is complete already" in ended.stderr, ended.stderr


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("change", ["changed", "dropped", "moved"])
def test_an_output_of_other_rows_is_not_taken_for_this_one(
    vsgen: Vsgen, tmp_path: Path, command: str, change: str
) -> None:
    path, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    path.write_text(lines_of(rows_of(command)))
    assert vsgen(*with_input(command, path), "-o", out).exit_code == 0
    before, (first, *others) = out.read_bytes(), rows_of(command, 4)
    rows = {"changed": [others[2], *others[:2]], "dropped": [first, *others[:1]], "moved": [*others, first]}
    path.write_text(lines_of(rows[change]))
    ended = vsgen(*with_input(command, path), "-o", out, "--resume")
    assert ended.exit_code == 2
    assert "the input's content has changed within the 3 rows that were read; --overwrite" in ended.stderr
    assert out.read_bytes() == before
    anew = vsgen(*with_input(command, path), "-o", out, "--overwrite")
    assert anew.exit_code == 0, anew.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_rows_at_the_end_of_an_input_are_asked_about_and_no_others(vsgen: Vsgen, tmp_path: Path, command: str) -> None:
    path, out, whole = tmp_path / "rows.jsonl", tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    path.write_text(lines_of(rows_of(command)))
    assert vsgen(*with_input(command, path), "-o", out).exit_code == 0
    before, summary = out.read_bytes(), tmp_path / "summary.json"
    path.write_text(lines_of(rows_of(command, 4)))
    assert vsgen(*with_input(command, path), "-o", whole, "--summary", summary).exit_code == 0
    asked = sum(json.loads(summary.read_text())["calls"].values())
    ended = vsgen(*with_input(command, path), "-o", out, "--resume", "--summary", summary)
    assert ended.exit_code == 0, ended.stderr
    assert before != out.read_bytes() == whole.read_bytes()
    assert 0 < sum(json.loads(summary.read_text())["calls"].values()) < asked
    assert "complete already" in vsgen(*with_input(command, path), "-o", out, "--resume").stderr


def test_rows_behind_those_that_were_read_do_not_matter(vsgen: Vsgen, tmp_path: Path) -> None:
    path, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    path.write_text(lines_of([{"animal": f"animal {n}"} for n in range(400)]))
    asked = ("run", "jokes", path, "-n", 2, "-k", 2, *FAST, "-o", out)
    assert vsgen(*asked).exit_code == 0
    with path.open("a") as more:
        more.write(lines_of([{"animal": "gnu"}]))
    assert "complete already" in vsgen(*asked, "--resume").stderr
    path.write_text(lines_of([{"animal": "gnu"}]) + path.read_text())
    assert "the input's content has changed" in vsgen(*asked, "--resume").stderr


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_an_output_for_which_the_last_row_was_just_read_is_complete(vsgen: Vsgen, tmp_path: Path, count: int) -> None:
    path, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    path.write_text(lines_of([{"animal": f"animal {n}"} for n in range(count)]))
    asked = ("run", "jokes", path, "-n", 3, "-k", 1, "--no-dedup", *FAST, "-o", out)
    assert vsgen(*asked).exit_code == 0
    ended = vsgen(*asked, "--resume")
    assert ended.exit_code == 0 and "complete already" in ended.stderr, ended.stderr


def test_an_output_with_an_input_is_not_one_without(vsgen: Vsgen, tmp_path: Path) -> None:
    path, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    path.write_text(lines_of(rows_of("run")))
    assert vsgen("run", "jokes", path, "-n", 2, *FAST, "-o", out).exit_code == 0
    ended = vsgen("run", "jokes", "-n", 2, *FAST, "-o", out, "--resume")
    assert ended.exit_code == 2 and "the input was given and is not given" in ended.stderr


@pytest.mark.parametrize(
    ("other", "change"),
    [
        (("--seed", 5), "the seed was 0 and is 5"),
        (("-n", 2), "-n was 3 and is 2"),
        (("--set", "sampling.p_min=0.01"), "the template has changed"),
        (("--no-meta",), "--meta was true and is false"),
        (("-m", "another"), "the model was tiny and is another"),
    ],
)
def test_what_was_asked_otherwise_is_named(
    vsgen: Vsgen, tmp_path: Path, other: tuple[object, ...], change: str
) -> None:
    out = tmp_path / "out.jsonl"
    asked = ("run", "jokes", *FAST, "-n", 3, "-o", out)
    assert vsgen(*asked).exit_code == 0
    ended = vsgen(*asked, "--resume", *other)
    assert ended.exit_code == 2 and f"was made differently: {change}; --overwrite" in ended.stderr, ended.stderr


def test_rows_of_known_class_count_by_what_they_hold(vsgen: Vsgen, tmp_path: Path) -> None:
    rows, gold, moved, out = (tmp_path / name for name in ("rows", "gold", "moved", "out"))
    rows.write_text(lines_of(rows_of("label")))
    gold.write_text(lines_of(tickets(4, seed=1)))
    moved.write_text(gold.read_text())
    asked = ("label", rows, *CATEGORY, "-m", "tiny", "-o", out)
    assert vsgen(*asked, "--calibrate", gold).exit_code == 0
    assert "complete already" in vsgen(*asked, "--calibrate", moved, "--resume").stderr
    moved.write_text(lines_of(tickets(5, seed=1)))
    ended = vsgen(*asked, "--calibrate", moved, "--resume")
    assert ended.exit_code == 2 and "was made differently: --calibrate was 4 rows, digest " in ended.stderr


def test_another_embedder_is_named_whether_the_run_has_ended_or_not(vsgen: Vsgen, tmp_path: Path) -> None:
    out, run = tmp_path / "out.jsonl", ("run", "jokes", "-n", 6, "-m", "tiny")
    assert vsgen(*run, "-o", out).exit_code == 0
    other = (*run, "-o", out, "--resume", "--set", "dedup.embedder=minilm")
    refused = vsgen(*other)
    assert refused.exit_code == 2
    assert "the embedder was hash and is minilm; --overwrite makes it again" in refused.stderr
    journal = tmp_path / "out.jsonl.journal"
    begun = [line for line in journal.read_bytes().splitlines(keepends=True) if not line.startswith(b'{"kind":"end"')]
    journal.write_bytes(b"".join(begun))
    out.rename(tmp_path / "out.jsonl.part")
    goes_on = vsgen(*other)
    assert goes_on.exit_code == 0, goes_on.stderr
    assert "the embedder was hash and is minilm; all rows are made again, from the journal's replies" in goes_on.stderr
    embedders = {json.loads(line)["meta"]["embedder"] for line in out.read_text().splitlines()}
    assert embedders == {"minilm@53aa51172d14"}
