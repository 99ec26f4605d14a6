"""Standard output that is closed early, or full: no command minds the one, and each names the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HELP = (("--help",), ("--version",), ("run", "--help"))
PRINTING = (
    ("check", "random-item", "-n", "2000"),
    ("templates",),
    ("templates", "support-tickets"),
    ("schema",),
    ("targets", "-q"),
    ("measure", "-n", "1", "--samples", "1", "--max-bins", "5", "--no-probes", "-m", "tiny", "-q"),
    ("export", "ROWS", "--to", "jsonl", "-q"),
    pytest.param(("doctor",), marks=pytest.mark.slow),
    pytest.param(("try", "random-item", "-n", "2"), marks=pytest.mark.slow),
)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "x", "labels": {"a": {"probs": {"b": 0.5, "c": 0.5}}}}\n' * 3000)
    return path


def ended(words: tuple[str, ...], rows: Path, stdout: int) -> tuple[int, str]:
    command = [sys.executable, "-m", "vsgen", *(str(rows) if word == "ROWS" else word for word in words)]
    result = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)
    return result.returncode, result.stderr


@pytest.mark.parametrize("words", (*HELP, *PRINTING), ids=" ".join)
def test_a_reader_that_goes_ends_a_command_quietly(words: tuple[str, ...], rows: Path) -> None:
    reader = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE)  # `| true`: reads nothing
    assert reader.wait() == 0 and reader.stdin is not None
    with reader.stdin as closed:
        status, errors = ended(words, rows, closed.fileno())
    assert (status, "Traceback" in errors, "rror" in errors) == (0, False, False), errors


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", PRINTING, ids=" ".join)
def test_a_full_disk_is_named_with_its_status(words: tuple[str, ...], rows: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        status, errors = ended(words, rows, full.fileno())
    *_, message = errors.splitlines()
    assert status == 4 and message.startswith("vsgen: <stdout>: cannot be written: No space left on device; "), errors
