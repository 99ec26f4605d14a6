"""Real processes, killed at random moments, lose nothing and write the same bytes in the end."""

from __future__ import annotations

import multiprocessing
import os
import time
from contextlib import suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from vsgen.__main__ import main

FILES = ("out.jsonl", "rejects.jsonl")
TEXTS = Path(__file__).parents[1] / "bytes" / "inputs" / "texts.jsonl"
ROWS = 30
RUN = ("-n", str(ROWS), "--patience", "0", "--rejects", "rejects.jsonl")
HASHED = ("--set", "dedup.embedder=hash")
ASKED = ("--name", "queue", "--classes", "billing,bug", "--method", "votes", "--set", "replies=3")
WAYS = {
    "run": (30, ("run", "story-openers", *RUN, *HASHED)),
    "run by labels": (10, ("run", "support-tickets", *RUN, *HASHED, "--set", "keep=labels.category.margin > 0.5")),
    "run by a model's vectors": (5, ("run", "support-tickets", *RUN, "--set", "labels=[]")),
    "label": (5, ("label", str(TEXTS), *ASKED)),
    "measure": (5, ("measure", "--selected", "--family", "bernoulli", "--samples", "6", "--no-probes")),
}
"""How often what is killed."""
MOST = 10
"""Kills of one output."""


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Starts each process from one that has done the imports, so that kills fall into the run itself."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["vsgen.jobs.generate", "vsgen.backends.hf.model", "sentence_transformers"])
    _run(context, ["--version"], Path())
    return context


def _main(words: list[str], folder: Path) -> None:
    os.chdir(folder)
    main(words)


def _run(processes: ForkServerContext, words: list[str], folder: Path) -> float:
    """Run to the end; returns the seconds that it took."""
    begun = time.monotonic()
    process = processes.Process(target=_main, args=(words, folder))
    process.start()
    process.join()
    assert process.exitcode == 0
    return time.monotonic() - begun


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_kills_with_torn_tails_leave_the_bytes_of_an_uninterrupted_run(
    way: str, tmp_path: Path, processes: ForkServerContext
) -> None:
    kills_wanted, words = WAYS[way]
    arguments = [*words, "-m", "tiny", "--quiet", "-o", "out.jsonl"]
    whole = tmp_path / "whole"
    whole.mkdir()
    seconds = _run(processes, arguments, whole)
    rng = Random(f"kills/{way}")
    kills, rounds = 0, 0
    while kills < kills_wanted:
        folder = tmp_path / f"round-{rounds}"
        folder.mkdir()
        kills += _until_done(folder, arguments, processes, rng, seconds)
        rounds += 1
        for name in FILES:
            assert not (whole / name).exists() or (folder / name).read_bytes() == (whole / name).read_bytes()
        assert _ended(folder) == _ended(whole)
        keys = [key for line in _lines(folder / "out.jsonl.journal") if (key := line.get("key"))]
        assert len(keys) == len(set(keys)), "a reply that was paid for was asked again"
        assert not [path for path in folder.iterdir() if path.suffix == ".part"]
    ids = [line["id"] for line in _lines(whole / "out.jsonl")]
    assert len(ids) == len(set(ids)) == _ended(whole)["rows"]


def _until_done(folder: Path, arguments: list[str], processes: ForkServerContext, rng: Random, seconds: float) -> int:
    """Run, kill, tear the tails, resume, until a run gets through or was killed often; returns how often."""
    kills = 0
    while True:
        process = processes.Process(target=_main, args=([*arguments, "--resume"], folder))
        process.start()
        process.join(timeout=rng.uniform(0, 0.7 * seconds) if kills < MOST else None)
        process.kill()
        process.join()
        if process.exitcode is not None and process.exitcode >= 0:
            assert process.exitcode == 0
            return kills
        kills += 1
        for path in sorted(folder.iterdir()):
            if path.name not in FILES:  # these came whole
                _tear(path, rng)


def _tear(path: Path, rng: Random) -> None:
    """As a power cut may: some bytes at the end are gone, or are there and were never written.

    The first line is on the disk before another one follows.
    """
    data = path.read_bytes()
    first = data.find(b"\n") + 1
    synced = first if first < len(data) and path.suffix != ".part" else 0
    lost = rng.choice([0, rng.randint(0, 40), rng.randint(0, 3_000)])
    kept = data[: max(synced, len(data) - lost)]
    path.write_bytes(kept + bytes(len(data) - len(kept)) if rng.random() < 0.3 else kept)


def _lines(path: Path) -> list[dict[str, Any]]:
    """What lines of JSON say; one that was torn before the next was written says nothing."""
    found = []
    for line in path.read_bytes().splitlines():
        with suppress(orjson.JSONDecodeError):
            found.append(orjson.loads(line))
    return found


def _ended(folder: Path) -> dict[str, Any]:
    """The counts that the last run left in the journal, less what only one run can know."""
    (*_, last) = _lines(folder / "out.jsonl.journal")
    assert last["kind"] == "end" and last["complete"]
    return {name: count for name, count in (last["summary"] or {}).items() if name not in ("calls", "seconds")}
