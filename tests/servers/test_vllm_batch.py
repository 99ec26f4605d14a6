"""A run whose requests vLLM answers as a file (``vllm run-batch``), with no server at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.conftest import Vsgen, rows
from tests.servers.serve import VLLM, run_batch
from vsgen.tiny import WEIGHTS

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(not VLLM.exists(), reason="make test-vllm installs vLLM"),
]


_ROUNDS = 4


def test_rows_come_from_the_results_of_batches(vsgen: Vsgen, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    words = ["run", "support-tickets", "--endpoint", "http://127.0.0.1:9/v1", "-m", "tiny", "-n", 4, "-o", out]
    words += ["--abilities", "vllm", "--set", "sampling.max_tokens=600", "--set", "labels=[]", "--set", "dedup=false"]
    more: list[object] = []
    for number in range(_ROUNDS):
        asked, results = (tmp_path / f"{name}-{number}.jsonl" for name in ("asked", "results"))
        done = vsgen(*words, *more, "--emit-batch", asked)
        if not asked.exists():
            break
        run_batch(WEIGHTS, "tiny", asked, results, tmp_path / "log")
        more = ["--resume", "--ingest-batch", results]
    assert done.exit_code == 0, done.output
    assert len(rows(out)) == 4
