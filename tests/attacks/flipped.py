"""Runs whose journal, vectors or part are damaged and which are resumed: what comes out must be what would have."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final, Literal, NamedTuple

from typer.testing import CliRunner

from tests.attacks.damage import DAMAGES
from vsgen.cli.app import app

_TICKETS: Final = "run support-tickets --set dedup.embedder=hash"
COMMANDS: Final[Mapping[str, str]] = {
    "run": f"{_TICKETS} -n 12 --rejects rejects.jsonl",
    "label": "label texts.jsonl --name category --classes billing,bug,how-to --prompt Which? -m tiny",
    "measure": "measure --family bernoulli --selected --samples 4 --max-bins 12 --no-probes -m tiny",
    "power": "run arithmetic -n 2 --set 'sampling.power={engine: smc, particles: 4, check_every: 32}' --no-dedup",
    "logprobs": f"{_TICKETS} -n 4 --token-logprobs top=3",
    "checks": f"{_TICKETS} -n 5 --max-calls 8 --allow-exec --set 'check.text={{command: [python3, check.py]}}'",
}
"""With every kind of line: generate, score, teach, check, and vectors."""
_INPUTS: Final = Path(__file__).parent.parent / "bytes" / "inputs"
_CHECK: Final = """import json, sys
for line in sys.stdin:
    row = json.loads(line)
    print(json.dumps({"id": row["id"], "ok": len(row["text"]) % 3 > 0, "problem": "too even"}), flush=True)
"""
_FILES: Final = ("out.jsonl.journal", "out.jsonl.vectors", "out.jsonl.part")

Ending = Literal["same", "refused", "other bytes", "traceback", "touched", "failed"]
GOOD: Final[frozenset[Ending]] = frozenset({"same", "refused"})


class Outcome(NamedTuple):
    """How a resumed run ended."""

    ending: Ending
    attack: str
    """What was done to which file."""
    message: str
    """The last words on stderr."""


@contextmanager
def at(folder: Path) -> Iterator[None]:
    """Work in a folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def made(name: str, folder: Path) -> None:
    """Carry a command out undisturbed, in a new folder that has its inputs."""
    shutil.copytree(_INPUTS, folder)
    (folder / "check.py").write_text(_CHECK)
    with at(folder):
        status, error, message = _vsgen(name)
    assert status in (0, 1) and not error, message


def attacked(name: str, whole: Path, folder: Path, rng: Random) -> Outcome:
    """Damage one file of an undisturbed run that stands as if it was killed, and resume it.

    Args:
        name: Of the command.
        whole: Where it was made.
        folder: A new one to work in.
        rng: Draws where it was killed, and the damage.
    """
    shutil.copytree(whole, folder)
    with at(folder):
        if kill := rng.random() < 0.8:
            _kill(rng)
        file = Path(rng.choice([name for name in _FILES if Path(name).exists() and Path(name).stat().st_size]))
        damage = rng.choice(DAMAGES)
        damaged = damage(file.read_bytes(), rng)
        file.write_bytes(damaged)
        status, error, message = _vsgen(name, "--resume")
        attack = f"{damage.__name__} {file.suffix[1:]}{' of a killed run' if kill else ''}"
        return Outcome(_ending(status, error, _results(whole), file, damaged), attack, error or message)


def _kill(rng: Random) -> None:
    """Leave what a killed run leaves: a part, and the beginning of a journal."""
    out = Path("out.jsonl")
    lines = out.read_bytes().splitlines(keepends=True)
    out.with_name("out.jsonl.part").write_bytes(b"".join(lines[: rng.randrange(len(lines) + 1)]))
    out.unlink()
    journal = Path("out.jsonl.journal")
    calls = journal.read_bytes().splitlines(keepends=True)
    if rng.random() < 0.5:
        journal.write_bytes(b"".join(calls[: rng.randrange(1, len(calls) + 1)]))


def _ending(status: int, error: str, wanted: Mapping[str, bytes], file: Path, damaged: bytes) -> Ending:
    if error:
        return "traceback"
    if status in (0, 1):
        return "same" if _results(Path()) == wanted else "other bytes"
    if status == 2:
        return "refused" if file.read_bytes() == damaged else "touched"
    return "failed"


def _results(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("out.jsonl", "rejects.jsonl") if (folder / name).exists()}


def _vsgen(name: str, *flags: str) -> tuple[int, str, str]:
    words = [*shlex.split(COMMANDS[name]), "-m", "tiny", "-o", "out.jsonl", "--progress", "none", *flags]
    result = CliRunner().invoke(app, words)
    unexpected = result.exception is not None and not isinstance(result.exception, SystemExit)
    said = [line for line in result.stderr.splitlines() if line.startswith("vsgen: ")]
    return result.exit_code, repr(result.exception) if unexpected else "", (said or [""])[-1]
