"""Runs whose power is cut: how each is recorded, what must hold of what a cut leaves, and how it goes on."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from random import Random
from typing import Final

import orjson

from tests.attacks.power import Act, Disk, Mercy, Recording, record
from vsgen.__main__ import main
from vsgen.files.ends import End, told
from vsgen.files.sealed import intact

TEXTS = Path(__file__).parents[1] / "bytes" / "inputs" / "texts.jsonl"
OUT, JOURNAL, FILES = "out.jsonl", "out.jsonl.journal", ("out.jsonl", "rejects.jsonl")
_HASHED = ("--set", "dedup.embedder=hash", "--set", "filter={text: {match: ' the '}}")
_ASKED = ("--name", "queue", "--classes", "billing,bug", "--method", "votes", "--set", "replies=3")
_TINY = ("-m", "tiny")
_STORIES = ("run", "story-openers", "-n", "40", "--patience", "0", "--rejects", "rejects.jsonl", *_TINY)
_LABELLED = b'{"text": "x", "labels": {"a": {"probs": {"b": 0.5, "c": 0.5}}}}\n'
WAYS: Final[dict[str, tuple[str, ...]]] = {
    "run by hashes": (
        "run",
        "story-openers",
        "-n",
        "40",
        "--patience",
        "0",
        "--rejects",
        "rejects.jsonl",
        *_HASHED,
        *_TINY,
    ),
    "run": _STORIES,
    "label": ("label", str(TEXTS), *_ASKED, *_TINY),
    "measure": ("measure", "--selected", "--family", "bernoulli", "--samples", "6", "--no-probes", *_TINY),
    "export to a file": ("export", "ROWS", "--to", "trl", "--draws", "3"),
    "export to a folder": ("export", "ROWS", "--to", "datasets"),
}
"""What is asked for, but for where it goes; ROWS is a file with labels."""


@dataclass(frozen=True, slots=True)
class Way:
    """A run that was recorded, and what it made."""

    words: tuple[str, ...]
    recording: Recording
    whole: dict[str, bytes]
    """The bytes of its files."""
    old: dict[str, bytes]
    """Those that it replaced."""


def recorded(shim: Path, name: str, work: Path, *, over: bool = False) -> Way:
    """Record a run.

    Args:
        shim: See `vsgen.tests.attacks.power.compiled`.
        name: Which; see `WAYS`.
        work: A new folder for it.
        over: It replaces the finished output of another seed.
    """
    folder = work / "folder"
    folder.mkdir(parents=True)
    rows = work / "rows.jsonl"
    words = tuple(str(rows) if word == "ROWS" else word for word in (*WAYS[name], "--quiet", "-o", OUT))
    if over:
        rows.write_bytes(_LABELLED * 5)
        record(shim, [*words, *(["--seed", "7"] if name != "export to a folder" else [])], folder, work / "first")
    old = files(folder)
    rows.write_bytes(_LABELLED * 300)
    recording = record(shim, [*words, *(["--overwrite"] if over else [])], folder, work / "run")
    return Way(words, recording, files(folder), old)


def files(folder: Path) -> dict[str, bytes]:
    """What was made in a folder."""
    paths = [path for name in FILES for path in (folder / name, *(folder / name).rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def cut_points(acts: Sequence[Act], rng: Random, times: int) -> list[int]:
    """How many acts happen before each cut: half of the cuts fall among what is more than another line."""
    rare = [at for at, act in enumerate(acts) if act.kind != "W"]
    points = [rng.choice(rare) + rng.randint(0, 1) for _ in range(times // 2)]
    return points + [rng.randint(0, len(acts)) for _ in range(times - len(points))]


def torn(way: Way, at: int, mercy: Mercy, rng: Random, target: Path) -> Path:
    """What a cut after some acts leaves, in a new folder."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    Disk(way.recording, way.recording.acts[:at]).left(target, mercy, rng)
    return target


def problems(way: Way, folder: Path) -> list[str]:
    """What must not be of what a cut left: a torn FILE, or a journal that says more than is there."""
    there = files(folder)
    found = [
        f"{name} is torn" for name in FILES if _of(there, name) not in ({}, _of(way.whole, name), _of(way.old, name))
    ]
    journal, made = folder / JOURNAL, _of(there, OUT)
    last = next(told(journal), None) if journal.exists() else None
    if isinstance(last, End) and last.complete and not made:
        found.append("the journal says that a file is complete which is not there")
    if made == _of(way.whole, OUT) != _of(way.old, OUT) and keys(folder) < keys(way.recording.folder):
        found.append("a whole file has lost replies that it was made from")
    return found


def _of(made: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    """A file, or all that is in a folder."""
    return {path: data for path, data in made.items() if Path(path).parts[0] == name}


def keys(folder: Path) -> set[str]:
    """The calls whose replies a folder's journal has."""
    path = folder / JOURNAL
    if not path.exists():
        return set()
    lines = path.read_bytes().splitlines(keepends=True)
    return {key for line in lines if intact(line) and (key := _key(line)) is not None}


def _key(line: bytes) -> str | None:
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return entry.get("key") if isinstance(entry, dict) else None


def lost(way: Way, at: int, folder: Path) -> list[float]:
    """How many seconds before the cut each reply came that it took."""
    acts = way.recording.acts[:at]
    kept = keys(folder)
    now = acts[-1].time if acts else 0.0
    lines = [(line, act.time) for act in acts if act.kind == "W" for line in act.data.splitlines()]
    return [now - time for line, time in lines if (key := _key(line)) and key not in kept]


def processes() -> ForkServerContext:
    """Starts each process from one that has done the imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["vsgen.jobs.generate", "vsgen.backends.hf.model", "sentence_transformers"])
    return context


def again(context: ForkServerContext, way: Way, folder: Path) -> tuple[int | None, str]:
    """Run the command again, with ``--resume`` where there is one; its status, and what it said."""
    said = folder.with_name("said")
    words = [word for word in way.words if word != "--quiet"]
    more = ["--overwrite"] if words[0] == "export" else ["--progress", "none", "--resume"]
    process = context.Process(target=_main, args=([*words, *more], folder, said))
    process.start()
    process.join()
    return process.exitcode, said.read_text()


def _main(words: list[str], folder: Path, said: Path) -> None:
    os.chdir(folder)
    os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
    main(words)


def ends_as_undisturbed(context: ForkServerContext, way: Way, folder: Path) -> str | None:
    """What is wrong with how a run goes on after a cut."""
    before = files(folder)
    status, said = again(context, way, folder)
    if status == 2 and way.old and before == way.old and "was made differently" in said:
        return None  # the disk knows nothing of the run that was to replace it
    if status != 0:
        return f"status {status}: {said.strip().splitlines()[-1:]}"
    if "complete already" in said and before != way.whole:
        return "called complete what was not whole"
    return None if files(folder) == way.whole else "other bytes"
