"""The example in Python and the page about it do what they say."""

from __future__ import annotations

import json
import re
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


@pytest.mark.slow
def test_the_blocks_of_the_page_run_one_after_the_other(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "python.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks))
    ended = run(script)
    assert len(blocks) == 9
    assert "SoftLabel" in ended.stdout
    assert "did you mean 'support-tickets'" in ended.stdout.splitlines()[-1]
    assert "Traceback" not in ended.stderr
