"""Commands as processes that are killed at random moments, and then run on until they are done."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from tests.cli.tickets import tickets, write
from vsgen.__main__ import main

SENT: Final = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_RUN: Final = "run story-openers -n 12 --patience 0 --set dedup.embedder=hash -m tiny"
COMMANDS: Final[Mapping[str, str]] = {
    "run": f"{_RUN} -o out.jsonl --rejects rejects.jsonl",
    "run --overwrite": f"{_RUN} --seed 1 -o out.jsonl --overwrite",
    "label": "label rows.jsonl --name queue --classes billing,bug --method votes --set replies=2 -m tiny -o out.jsonl",
    "measure": "measure --selected --family bernoulli --samples 6 --no-probes -m tiny -o out.jsonl",
    "export": "export labelled.jsonl --to jsonl -o out.jsonl --overwrite",
    "export datasets": "export labelled.jsonl --to datasets -o out --overwrite",
}
"""Each writes `out` or `out.jsonl`; those with --overwrite find an older one."""
_OLDER: Final[Mapping[str, str]] = {
    "run --overwrite": COMMANDS["run --overwrite"].replace("--seed 1", "--seed 0"),
    "export": "export older.jsonl --to jsonl -o out.jsonl",
    "export datasets": "export older.jsonl --to datasets -o out",
}
PYTHON: Final = [sys.executable, "-m", "vsgen"]
_PROCESSES: Final = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["vsgen.jobs.generate", "vsgen.jobs.label", "vsgen.backends.hf.model", "datasets"])
_MOST: Final = 8
"""Kills of one output; then the next run is left to end."""
_IMPORTS: Final = 2.5
"""Seconds of the start of a process, more or less."""
_EARLY: Final = 0.35
"""The share of kills that fall into the start, while modules are imported."""


@dataclass
class Tally:
    """What became of a command's kills."""

    sent: Counter[str] = field(default_factory=Counter)
    """Signals that came before the command had ended, by name."""
    resumed: int = 0
    """Runs that went on after one."""
    printed: int = 0
    """How many of these ran the command that was printed."""
    outputs: int = 0
    """Outputs that were made in the end."""
    equal: int = 0
    """How many of these have the bytes of an undisturbed run, the same status, and nothing beside them."""
    failures: list[str] = field(default_factory=list)
    """What else happened."""


class Killer:
    """Kills one command again and again."""

    def __init__(self, name: str, root: Path, seed: int = 0) -> None:
        """Run it undisturbed in a folder of `root`, for its bytes and its time."""
        self.name, self.tally = name, Tally()
        self._words = shlex.split(COMMANDS[name])
        self._rng = Random(f"kills/{name}/{seed}")
        self._root = root
        self._fresh, whole = root / "fresh", root / "whole"
        _prepare(self._fresh, name)
        self._older = _states(self._fresh)
        shutil.copytree(self._fresh, whole)
        Process(["--version"], root).ended()  # the imports are no part of its time
        begun = time.monotonic()
        done = Process(self._words, whole).ended()
        assert done.status == 0, done.said
        self._seconds = time.monotonic() - begun
        self._whole = _states(whole)
        self._names = _names(whole)

    def kill(self, times: int) -> Tally:
        """Kill it so often at least, and see what is left each time and in the end."""
        rounds = 0
        while self.tally.sent.total() < times:
            folder = self._root / f"round-{rounds}"
            shutil.copytree(self._fresh, folder)
            self._round(folder, times)
            shutil.rmtree(folder)
            rounds += 1
        return self.tally

    def _round(self, folder: Path, times: int) -> None:
        words, kills = self._words, 0
        while kills < _MOST and self.tally.sent.total() < times:
            sent, early = self._rng.choice(SENT), self._rng.random() < _EARLY
            after = self._rng.uniform(0, _IMPORTS if early else self._seconds)
            ended = Process(words, folder, forked=not early).ended(sent, after)
            if ended.status == 0:
                break
            kills += 1
            self.tally.sent[sent.name] += 1
            self._look(folder, words, sent, ended)
            words = self._next(words, ended)
            self.tally.resumed += 1
        else:
            last = Process(words, folder).ended()
            if last.status != 0:
                self._fail(words, f"status {last.status} when it was left to end: {last.said[-300:]}")
        self._compare(folder, words)

    def _look(self, folder: Path, words: Sequence[str], sent: signal.Signals, ended: Ended) -> None:
        """The status of an interrupted command, and what stands in its output's place."""
        if ended.status != 128 + sent:
            self._fail(words, f"status {ended.status} after {sent.name}: {ended.said[-300:]}")
        if "Traceback" in ended.said and not ended.died:
            self._fail(words, f"a traceback after {sent.name}: {ended.said[-300:]}")
        for name, state in _states(folder).items():
            if name in self._whole and state not in (self._whole[name], self._older.get(name)):
                self._fail(words, f"{name} is neither the old one nor the new one after {sent.name}")

    def _next(self, words: list[str], ended: Ended) -> list[str]:
        """The command that goes on: what was printed; where nothing was, what a user types."""
        if found := re.search(r"^vsgen: interrupted; .*:\n  ", ended.said, re.MULTILINE):
            self.tally.printed += 1
            printed = shlex.split(ended.said[found.end() :])
            program = PYTHON if printed[: len(PYTHON)] == PYTHON else ["vsgen"]
            if printed[: len(program)] != program:
                self._fail(words, f"printed {printed}")
            return printed[len(program) :]
        resumes = ended.died and not {"--resume", "--overwrite"} & set(words)
        return [words[0], "--resume", *words[1:]] if resumes else words

    def _compare(self, folder: Path, words: Sequence[str]) -> None:
        self.tally.outputs += 1
        if _states(folder) != self._whole:
            self._fail(words, "other bytes than an undisturbed run's")
        elif _names(folder) != self._names:
            self._fail(words, f"left behind: {sorted(_names(folder) ^ self._names)}")
        else:
            self.tally.equal += 1

    def _fail(self, words: Sequence[str], why: str) -> None:
        self.tally.failures.append(f"{shlex.join(words)}: {why}")


def _prepare(folder: Path, name: str) -> None:
    folder.mkdir(parents=True)
    rows = [{"text": one["text"]} for one in tickets(6)]
    write(folder / "rows.jsonl", rows)
    for count, labelled in ((300, "labelled.jsonl"), (3, "older.jsonl")):
        label = {"probs": {"billing": 0.75, "bug": 0.25}}
        write(
            folder / labelled,
            [{"text": f"{i}: {row['text']}", "labels": {"queue": label}} for row in rows for i in range(count)],
        )
    if name in _OLDER:
        older = Process(shlex.split(_OLDER[name]), folder).ended()
        assert older.status == 0, older.said


class Ended(NamedTuple):
    """How a process ended."""

    status: int
    """As a shell shows it."""
    died: bool
    """The signal itself killed it, before vsgen's first line or after its last."""
    said: str


class Process:
    """``vsgen`` in a folder: as ``python -m vsgen``; or out of a process that has done all imports, which is faster."""

    def __init__(self, words: Sequence[str], folder: Path, *, forked: bool = True) -> None:
        """Start it."""
        self._said = folder.parent / f"{folder.name}.stderr"
        if forked:
            self._forked: ForkServerProcess | None = _PROCESSES.Process(target=_main, args=(words, folder, self._said))
            self._forked.start()
            while not self._said.exists():  # what comes before is not vsgen's
                time.sleep(0.001)
            return
        self._forked = None
        path = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
        with self._said.open("wb") as said:
            self._child = subprocess.Popen(
                [*PYTHON, *words],
                cwd=folder,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                preexec_fn=_heedless,
            )

    def ended(self, sent: signal.Signals | None = None, after: float = 0) -> Ended:
        """Wait for it, and send it a signal after so many seconds."""
        code = self._wait(None if sent is None else after)
        if code is None and sent is not None:
            with suppress(ProcessLookupError):  # it may have ended since
                os.kill(self._pid, sent)
            code = self._wait(None)
        assert code is not None
        said = self._said.read_text() if self._said.exists() else ""
        self._said.unlink(missing_ok=True)
        if sent is signal.SIGINT and code == 1 and "KeyboardInterrupt" in said and "/vsgen/" not in said:
            code = -sent  # Python's own end, while it starts
        return Ended(-code + 128 if code < 0 else code, code < 0, said)

    @property
    def _pid(self) -> int:
        pid = self._child.pid if self._forked is None else self._forked.pid
        assert pid is not None
        return pid

    def _wait(self, seconds: float | None) -> int | None:
        if self._forked is not None:
            self._forked.join(seconds)
            return self._forked.exitcode
        with suppress(subprocess.TimeoutExpired):
            return self._child.wait(seconds)
        return None


def _heedless() -> None:
    """A background job of a shell ignores Ctrl-C; these must not."""
    for sent in SENT[1:]:
        signal.signal(sent, signal.SIG_DFL)


def _main(words: Sequence[str], folder: Path, said: Path) -> None:
    _heedless()
    os.chdir(folder)
    with said.open("wb") as file, Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(file.fileno(), 2)
    main(words)


def _states(folder: Path) -> dict[str, str]:
    """What is in each output: digests of files, and of folders with all that they hold."""
    found = {}
    for name in ("out.jsonl", "rejects.jsonl", "out"):
        path = folder / name
        if path.exists():
            files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
            held = [(str(one.relative_to(folder)), hashlib.sha256(one.read_bytes()).hexdigest()) for one in files]
            found[name] = json.dumps(held)
    return found


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
