"""A run behind a URL loads none of what only models in this process, comparisons and rare schemas need."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.endpoint.plan import Plan
from tests.endpoint.server import serving

CODE = "import sys; from vsgen.__main__ import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
HEAVY = {"torch", "transformers", "sentence_transformers", "numpy", "jsonschema"}


def test_a_run_behind_a_url_loads_neither_numpy_nor_a_validator_of_schemas(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with serving(Plan()) as server:
        words = ["run", "support-tickets", "--endpoint", server.url, "-m", "echo", "-n", "2", "-o", out]
        settings = ["--set", "dedup=false", "--set", "labels=[]", "--set", "sampling.method=direct"]
        command = [sys.executable, "-c", CODE, *map(str, words), *settings]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert len(out.read_text().splitlines()) == 2
    assert not HEAVY & set(ended.stderr.split())


@pytest.mark.slow
def test_a_run_says_how_many_requests_it_sent_a_second_time(tmp_path: Path) -> None:
    with serving(Plan(latency=0.01, stragglers=(0.03, 1.0), seed=5)) as server:
        words = ["run", "support-tickets", "--endpoint", server.url, "-m", "echo", "-n", "150", "--hedge"]
        settings = ["--set", "dedup=false", "--set", "labels=[]", "--set", "sampling.method=direct"]
        command = [sys.executable, "-m", "vsgen", *words, *settings, "-o", str(tmp_path / "out.jsonl")]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert re.search(r"--hedge sent \d+ requests a second time; \d+ of these were answered first", ended.stderr)
