"""Input that comes slowly, is wrong in the middle or ends too early: what came before it is written, and paid once."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import tty
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.cli.tickets import CATEGORY, tickets

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

FAST: Final = ("-k", "1", "--method", "direct", "--no-dedup", "-m", "tiny")
COMMANDS = ["run", "label"]
JOKES: Final = "version: 1\nname: jokes\nprompt: Tell a joke about a {{ animal }}.\noutput: {field: text}\n"


@pytest.fixture(autouse=True)
def _template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template that draws no animal itself."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jokes.yaml").write_text(JOKES)


def words(command: str, given: object) -> list[object]:
    """A command that makes one row of each input row."""
    if command == "run":
        return ["run", "jokes.yaml", given, *FAST]
    return ["label", given, *CATEGORY, "-m", "tiny"]


def given_lines(command: str) -> list[str]:
    """Four good rows."""
    if command == "run":
        return [json.dumps({"animal": animal}) + "\n" for animal in ("cat", "cow", "owl", "fox")]
    return [json.dumps({"text": one["text"]}) + "\n" for one in tickets(4)]


def started(*asked: object, stdin: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vsgen", *map(str, asked)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_row_comes_out_before_the_next_one_comes_in(command: str) -> None:
    with started(*words(command, "-")) as child:
        assert child.stdin is not None and child.stdout is not None
        for line in given_lines(command)[:3]:
            child.stdin.write(line)
            child.stdin.flush()
            assert json.loads(child.stdout.readline())
        child.stdin.close()
        assert child.stdout.read() == ""
    assert child.returncode == 0


def test_a_command_that_waits_for_its_input_is_interrupted_and_goes_on_later(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with started(*words("label", "-"), "-o", out) as child:
        assert child.stdin is not None and child.stderr is not None
        child.stdin.write(given_lines("label")[0])
        child.stdin.flush()
        _wait_for_lines(child, tmp_path / "out.jsonl.part", 1)
        child.send_signal(signal.SIGINT)
        said = child.stderr.read()
        assert child.wait(timeout=60) == 130
    assert "vsgen: interrupted; nothing is lost. To continue, give the same rows to standard input again:\n" in said
    resumed = vsgen(*words("label", "-"), "-o", out, "--resume", stdin="".join(given_lines("label")[:2]))
    assert resumed.exit_code == 0 and "calls made now: 1 score\n" in resumed.stderr
    assert len(out.read_text().splitlines()) == 2


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("wrong", "problem"),
    [("not json\n", ":4: not JSON"), ('{"other": 1}\n', ":4"), ("[1]\n", ":4: not a JSON object")],
    ids=["no JSON", "lacks a field", "no object"],
)
def test_rows_before_a_wrong_one_are_written_and_paid_and_a_mended_input_goes_on(
    vsgen: Vsgen, tmp_path: Path, command: str, wrong: str, problem: str
) -> None:
    path, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    good = given_lines(command)
    path.write_text("".join([*good[:3], wrong]))
    asked = (*words(command, path), "-o", out)
    stopped = vsgen(*asked)
    assert stopped.exit_code == 2 and f"rows.jsonl{problem}" in stopped.stderr, stopped.stderr
    assert not out.exists()
    rows = (tmp_path / "out.jsonl.part").read_text().splitlines()
    calls = _calls(tmp_path / "out.jsonl.journal")
    assert len(rows) == 3 == len(calls)
    skipped = vsgen(*asked, "--overwrite", "--on-error", "skip")
    assert skipped.exit_code == 0 and "1 input row skipped" in skipped.stderr
    assert out.read_text().splitlines() == rows and _calls(tmp_path / "out.jsonl.journal") == calls
    path.write_text("".join(good))
    mended = vsgen(*asked, "--overwrite")
    assert mended.exit_code == 0 and out.read_text().splitlines()[:3] == rows
    assert len(_calls(tmp_path / "out.jsonl.journal")) == 4, "what was paid is not asked again"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_part_is_continued_once_the_wrong_line_is_mended(vsgen: Vsgen, tmp_path: Path, command: str) -> None:
    path, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    good = given_lines(command)
    path.write_text("".join([*good[:3], "not json\n"]))
    asked = (*words(command, path), "-o", out)
    assert vsgen(*asked).exit_code == 2
    path.write_text("".join(good))
    assert vsgen(*asked, "--resume").exit_code == 0
    assert len(out.read_text().splitlines()) == 4 == len(_calls(tmp_path / "out.jsonl.journal"))


def test_an_input_that_cannot_be_read_any_more_is_named_and_what_came_before_is_written(tmp_path: Path) -> None:
    reading, writing = pty.openpty()  # whoever reads it gets an error once nobody can write to it any more
    tty.setraw(writing)
    os.write(writing, "".join(given_lines("label")[:3]).encode())
    with started(*words("label", "-"), "-o", tmp_path / "out.jsonl", stdin=reading) as child:
        assert child.stderr is not None
        os.close(reading)
        _wait_for_lines(child, tmp_path / "out.jsonl.part", 3)
        os.close(writing)
        said = child.stderr.read()
    assert child.returncode == 2
    assert "vsgen: <stdin>: cannot be read: Input/output error; give a JSONL file" in said
    assert len((tmp_path / "out.jsonl.part").read_text().splitlines()) == 3


def _wait_for_lines(child: subprocess.Popen[str], path: Path, count: int) -> None:
    while child.poll() is None and (not path.exists() or path.read_bytes().count(b"\n") < count):
        os.sched_yield()


def _calls(journal: Path) -> list[str]:
    """The keys of the calls in a journal."""
    return [key for line in journal.read_text().splitlines() if (key := json.loads(line).get("key"))]
