"""Start-up: ``vsgen --help`` against an interpreter that does nothing, and the time to the first row."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

_ROUNDS = 7
_PLAIN = """
import sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from vsgen.tiny import WEIGHTS
model = AutoModelForCausalLM.from_pretrained(WEIGHTS)
tokenizer = AutoTokenizer.from_pretrained(WEIGHTS)
ask = [{"role": "user", "content": sys.argv[1]}]
prompt = tokenizer.apply_chat_template(ask, add_generation_prompt=True, return_tensors="pt", return_dict=True)
print(tokenizer.decode(model.generate(**prompt, max_new_tokens=200)[0]))
"""
_TICKET = "Write a short support ticket from a customer about a bike light. Tone: polite."


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


def _replayed(*words: str) -> list[float]:
    """A run whose output is gone and whose journal is not."""
    with TemporaryDirectory() as folder:
        output = Path(folder, "out.jsonl")
        run = ("-m", "vsgen", "run", *words, "-o", str(output))
        _seconds(*run)
        taken = []
        for _ in range(_ROUNDS):
            output.unlink()
            taken.append(_seconds(*run, "--resume"))
        return taken


def _first_request() -> float:
    """From the start of a command to its first request at an endpoint."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        words = ["-m", "vsgen", "run", "support-tickets", "--endpoint", url, "-m", "m", "-n", "5", "--quiet"]
        begun = time.perf_counter()
        with subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            connection, _ = server.accept()
            with connection:
                connection.recv(1)
                seconds = time.perf_counter() - begun
                run.kill()
        return seconds


def main() -> None:
    """Print the table."""
    nothing = [_seconds("-c", "pass") for _ in range(_ROUNDS)]
    help_ = [_seconds("-m", "vsgen", "--help") for _ in range(_ROUNDS)]
    plain = [_seconds("-c", _PLAIN, _TICKET) for _ in range(3)]
    sentence = [_seconds("-c", _PLAIN + "import sentence_transformers", _TICKET) for _ in range(3)]
    first = ["support-tickets", "-m", "tiny", "-n", "40", "--quiet"]
    hashed = [_first_row(*first) for _ in range(3)]
    minilm = [_first_row(*first, "--set", "dedup.embedder=minilm") for _ in range(3)]
    replayed = _replayed(*first[:3], "-n", "1", "--quiet")
    requested = [_first_request() for _ in range(_ROUNDS)]
    print(f"start-up, median seconds ({os.cpu_count()} cores)")
    _line("python -c pass", nothing)
    _line("vsgen --help", help_, nothing)
    _line("vsgen run --endpoint, to the first request (limit 1 s)", requested, nothing)
    _line("plain transformers script, embedded model, one reply", plain)
    _line("vsgen run, to its first row (embedder hash)", hashed, plain)
    _line("vsgen run --resume, all calls in the journal", replayed, hashed)
    _line("the plain script, and import sentence_transformers", sentence)
    _line("vsgen run, to its first row (MiniLM)", minilm, sentence)


def _line(what: str, ours: list[float], limit: list[float] | None = None) -> None:
    ratio = f"  {median(ours) / median(limit):5.2f} x the line above" if limit else ""
    print(f"  {what:55} {median(ours):6.2f}{ratio}")
