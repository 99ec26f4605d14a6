"""Rows out of a slow standard input: the seconds from a row that comes in to the row that goes out."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence

from tests.cli.tickets import CATEGORY, tickets

_PAUSE = 2.0
_JOKES = ("run", "jokes", "-", "-k", "1", "--method", "direct", "--no-dedup", "-m", "tiny", "-q")


def _delays(words: Sequence[str], rows: Sequence[object]) -> list[float]:
    """Seconds of each row; the first is there before the command has opened its models."""
    command = [sys.executable, "-m", "vsgen", *words]
    delays = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdin is not None and run.stdout is not None
        for row in rows:
            begun = time.perf_counter()
            run.stdin.write(json.dumps(row).encode() + b"\n")
            run.stdin.flush()
            run.stdout.readline()
            delays.append(time.perf_counter() - begun)
            time.sleep(_PAUSE)
    return delays


def main() -> None:
    """Print the table."""
    cases = {
        "run": (_JOKES, [{"animal": animal} for animal in ("cat", "cow", "owl")]),
        "label": (("label", "-", *CATEGORY, "-m", "tiny", "-q"), [{"text": one["text"]} for one in tickets(3)]),
    }
    print(f"rows {_PAUSE:g} s apart on standard input: seconds until each is out (the first waits for the model)")
    for name, (words, rows) in cases.items():
        first, *later = _delays(words, rows)
        print(f"  {name:6} first {first:.2f}, later {', '.join(f'{delay:.2f}' for delay in later)}")
