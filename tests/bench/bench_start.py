"""Start-up: ``vsgen --help`` against an interpreter that does nothing, and the time to the first row."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from statistics import median

_ROUNDS = 7


def _seconds(*words: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.perf_counter() - begun


def _first_row(*words: str) -> float:
    begun = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "vsgen", "run", *words], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        run.stdout.readline()
        seconds = time.perf_counter() - begun
        run.kill()
    return seconds


def main() -> None:
    """Print the table."""
    nothing = [_seconds("-c", "pass") for _ in range(_ROUNDS)]
    help_ = [_seconds("-m", "vsgen", "--help") for _ in range(_ROUNDS)]
    libraries = [_seconds("-c", "import torch, transformers") for _ in range(3)]
    sentence = [_seconds("-c", "import torch, transformers, sentence_transformers") for _ in range(3)]
    first = ["support-tickets", "-m", "tiny", "-n", "40", "--quiet"]
    hashed = [_first_row(*first, "--set", "dedup.embedder=hash") for _ in range(3)]
    minilm = [_first_row(*first) for _ in range(3)]
    print(f"start-up, median seconds ({os.cpu_count()} cores)")
    _line("python -c pass", nothing)
    _line("vsgen --help", help_, nothing)
    _line("import torch, transformers (the limit)", libraries)
    _line("command to first row, embedder hash", hashed, libraries)
    _line("import of those and sentence_transformers (the limit)", sentence)
    _line("command to first row, MiniLM", minilm, sentence)


def _line(what: str, ours: list[float], limit: list[float] | None = None) -> None:
    ratio = f"  {median(ours) / median(limit):5.2f} x the line above" if limit else ""
    print(f"  {what:55} {median(ours):6.2f}{ratio}")
