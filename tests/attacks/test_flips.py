"""A run whose files are damaged and which is resumed makes what it would have made, and says what it could not read."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from tests.attacks.flipped import COMMANDS, GOOD, at, attacked, made
from vsgen.cli.app import app
from vsgen.files.sealed import sealed


@pytest.fixture(scope="module", params=["run", "label"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """An undisturbed run."""
    folder = tmp_path_factory.mktemp("whole") / "it"
    made(request.param, folder)
    return request.param, folder


@pytest.mark.parametrize("number", range(8))
def test_damage_to_a_runs_files_changes_no_byte_of_what_it_makes(
    whole: tuple[str, Path], tmp_path: Path, number: int
) -> None:
    name, folder = whole
    outcome = attacked(name, folder, tmp_path / "it", Random(f"{name}/{number}"))
    assert outcome.ending in GOOD, outcome


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("run", "label", "power")])
def test_damage_changes_no_byte_of_any_command(name: str, tmp_path: Path) -> None:
    made(name, tmp_path / "whole")
    for number in range(5):
        outcome = attacked(name, tmp_path / "whole", tmp_path / str(number), Random(f"{name}/{number}"))
        assert outcome.ending in GOOD, outcome


def test_a_run_says_once_what_it_could_not_read_and_counts_it(tmp_path: Path) -> None:
    made("label", tmp_path / "it")
    with at(tmp_path / "it"):
        journal = Path("out.jsonl.journal")
        lines = journal.read_bytes().splitlines(keepends=True)
        places = [number for number, line in enumerate(lines) if b'"kind":"score"' in line][:2]
        for number in places:
            lines[number] = lines[number].replace(b'"logp":[-', b'"logp":[+')
        journal.write_bytes(b"".join(lines))
        Path("out.jsonl").rename("out.jsonl.part")
        words = "label texts.jsonl --name category --classes billing,bug,how-to --prompt Which? -m tiny -o out.jsonl"
        result = CliRunner().invoke(app, [*words.split(), "--resume", "--summary", "summary.json"])
        assert result.exit_code == 0
        problem = "vsgen: out.jsonl.journal: 2 lines cannot be read (damaged): their calls are asked again"
        assert result.stderr.splitlines().count(problem) == 1
        summary = json.loads(Path("summary.json").read_bytes())
        assert summary["unreadable"] == 2 and summary["calls"] == {"score": 2}
        again = CliRunner().invoke(app, [*words.split(), "--overwrite"])
        assert again.exit_code == 0 and "cannot be read" not in again.stderr, "both were asked again"


@pytest.mark.parametrize("change", [{"value": 5}, {"value": [1]}, {"name": None}, {"value": {"rows": "8"}}])
def test_a_note_that_is_none_is_learnt_anew(tmp_path: Path, change: dict[str, Any]) -> None:
    made("label", tmp_path / "it")
    with at(tmp_path / "it"):
        journal = Path("out.jsonl.journal")
        lines = journal.read_bytes().splitlines(keepends=True)
        for number, line in enumerate(lines):
            note = orjson.loads(line)
            if note["kind"] == "note":
                value = {**note["value"], **change["value"]} if isinstance(change.get("value"), dict) else None
                note |= change if value is None else {"value": value}
                del note["crc"]
                lines[number] = sealed(orjson.dumps(note))
        journal.write_bytes(b"".join(lines))
        before = Path("out.jsonl").read_bytes()
        again = CliRunner().invoke(
            app, [*shlex.split(COMMANDS["label"]), *["-m", "tiny", "-o", "out.jsonl", "--overwrite"]]
        )
        assert again.exit_code == 0, again.stderr
        assert Path("out.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        *(("end", {name: 5}) for name in ("parts", "complete", "summary", "made")),
        ("end", {"parts": "x"}),
        ("end", {"parts": {"input's content": {"rows": "x"}}}),
        ("end", {"made": {"output": 5}}),
        *(("begin", {name: 5}) for name in ("parts", "output")),
    ],
    ids=repr,
)
def test_a_whole_line_that_no_run_says_of_itself_is_not_believed(
    tmp_path: Path, kind: str, change: dict[str, Any]
) -> None:
    made("label", tmp_path / "it")
    with at(tmp_path / "it"):
        journal = Path("out.jsonl.journal")
        lines = journal.read_bytes().splitlines(keepends=True)
        for number, line in enumerate(lines):
            said = orjson.loads(line)
            if said["kind"] == kind:
                del said["crc"]
                lines[number] = sealed(orjson.dumps(said | change))
        journal.write_bytes(b"".join(lines))
        before = Path("out.jsonl").read_bytes()
        words = [*shlex.split(COMMANDS["label"]), *["-m", "tiny", "-o", "out.jsonl", "--resume"]]
        again = CliRunner().invoke(app, words)
        assert again.exception is None or isinstance(again.exception, SystemExit), again.exception
        assert again.exit_code in (0, 2)
        assert Path("out.jsonl").read_bytes() == before
