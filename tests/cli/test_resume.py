"""Real processes, killed at random moments, lose nothing and write the same bytes in the end."""

from __future__ import annotations

import json
import multiprocessing
import time
from multiprocessing.context import ForkServerContext
from pathlib import Path
from random import Random

import pytest

from vsgen.__main__ import main

KILLS = 30
ROWS = 60
ARGUMENTS = ("run", "story-openers", "-n", str(ROWS), "--patience", "0", "--quiet", "--set", "dedup.embedder=hash")


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Starts each process from one that has done the imports, so that kills fall into the run itself."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["vsgen.jobs.generate", "vsgen.backends.hf.model", "torch", "transformers"])
    _run(context, ["--version"])
    return context


def _run(processes: ForkServerContext, words: list[str]) -> float:
    """Run to the end; returns the seconds that it took."""
    begun = time.monotonic()
    process = processes.Process(target=main, args=(words,))
    process.start()
    process.join()
    assert process.exitcode == 0
    return time.monotonic() - begun


def arguments(folder: Path) -> list[str]:
    return [*ARGUMENTS, "-o", str(folder / "out.jsonl"), "--rejects", str(folder / "rejects.jsonl")]


def finished(process: multiprocessing.process.BaseProcess) -> bool:
    return process.exitcode is not None and process.exitcode >= 0


@pytest.mark.slow
def test_thirty_kills_leave_the_bytes_of_an_uninterrupted_run(tmp_path: Path, processes: ForkServerContext) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    seconds = _run(processes, arguments(whole))
    rng = Random(7)
    kills, rounds = 0, 0
    while kills < KILLS:
        folder = tmp_path / f"round-{rounds}"
        folder.mkdir()
        kills += _until_done(folder, processes, rng, seconds)
        rounds += 1
        for name in ("out.jsonl", "rejects.jsonl"):
            assert (folder / name).read_bytes() == (whole / name).read_bytes()
        entries = [json.loads(line) for line in (folder / "out.jsonl.journal").read_text().splitlines()]
        keys = [entry["key"] for entry in entries if "key" in entry]
        assert len(keys) == len(set(keys)), "a reply that was paid for was asked again"
    ids = [json.loads(line)["id"] for line in (whole / "out.jsonl").read_text().splitlines()]
    assert len(ids) == len(set(ids)) == ROWS


def _until_done(folder: Path, processes: ForkServerContext, rng: Random, seconds: float) -> int:
    """Run, kill, tear the last line, resume, until a run gets through; returns how many were killed."""
    kills = 0
    while True:
        process = processes.Process(target=main, args=([*arguments(folder), "--resume"],))
        process.start()
        process.join(timeout=rng.uniform(0, seconds))
        process.kill()
        process.join()
        if finished(process):
            assert process.exitcode == 0
            return kills
        kills += 1
        _tear(folder / "out.jsonl.journal", rng)
        _tear(folder / "out.jsonl.vectors", rng)


def _tear(journal: Path, rng: Random) -> None:
    """As a power cut may: some bytes at the end are gone, of the last line or what passes for one."""
    if journal.exists() and rng.random() < 0.5:
        data = journal.read_bytes()
        last = data.rfind(b"\n", 0, len(data) - 1) + 1
        journal.write_bytes(data[: rng.randint(last, len(data))])
