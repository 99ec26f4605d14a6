"""The example in Python and the page about it do what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "python" / "balanced.py"


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, check=True)


@pytest.mark.slow
def test_every_queue_has_its_tickets_and_a_second_run_asks_nothing(tmp_path: Path) -> None:
    command = (SCRIPT, "--each", 2, "--journal", tmp_path / "balanced.journal")
    first, again = run(*command), run(*command)
    rows = [json.loads(line) for line in first.stdout.splitlines()]
    assert Counter(row["queue"] for row in rows) == {"billing": 2, "bug": 2, "how-to": 2}
    assert again.stdout == first.stdout
    assert again.stderr.splitlines()[-1].endswith("calls made now: {}")
