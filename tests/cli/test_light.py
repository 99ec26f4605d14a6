"""A run behind a URL loads none of what only models in this process, comparisons and rare schemas need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
