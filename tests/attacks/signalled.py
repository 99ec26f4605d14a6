"""Commands as processes of their own, which are sent signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SENT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(NamedTuple):
    """How a process ended."""

    status: int
    """As a shell shows it, be it an exit status or death from a signal."""
    died: bool
    """It did not end itself: the signal killed it."""
    stdout: str
    stderr: str

    @property
    def traced(self) -> bool:
        """A traceback was printed, or a part of one."""
        return any(word in self.stderr for word in ("Traceback", "Exception ignored", "KeyboardInterrupt", "Aborted"))


def begun(words: Sequence[object], *, ignored: Sequence[signal.Signals] = (), **others: str) -> subprocess.Popen[str]:
    """``python -m vsgen`` (or, for words that begin with a path, that), in a process group of its own."""
    command = [*map(str, words)] if str(words[0]).startswith("/") else [sys.executable, "-m", "vsgen", *map(str, words)]
    env: Mapping[str, str] = {**os.environ, "OMP_NUM_THREADS": "1", **others}

    def prepare() -> None:
        for sent in SENT:  # a background job of a shell ignores Ctrl-C; these must not
            signal.signal(sent, signal.SIG_IGN if sent in ignored else signal.SIG_DFL)

    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        preexec_fn=prepare,
        process_group=0,
    )


def ended(child: subprocess.Popen[str], seconds: float = 120) -> Ended:
    """Wait for a process."""
    try:
        out, err = child.communicate(timeout=seconds)
    finally:
        if child.poll() is None:
            child.kill()
    code = child.returncode
    return Ended(128 - code if code < 0 else code, code < 0, out, err)


def struck(words: Sequence[object], blows: Sequence[tuple[float, signal.Signals]], *, group: bool = False) -> Ended:
    """How a command ends that is sent signals, each so many seconds after its start."""
    child, start = begun(words), time.monotonic()
    for at, sent in blows:
        try:
            child.wait(max(0.0, at - (time.monotonic() - start)))
        except subprocess.TimeoutExpired:
            (os.killpg if group else os.kill)(child.pid, sent)
    return ended(child)


def journal_grown(child: subprocess.Popen[str] | subprocess.Popen[bytes], journal: Path, size: int = 1) -> None:
    """Wait until a command has written to its journal, or has ended."""
    for _ in range(12_000):
        if child.poll() is not None or (journal.exists() and journal.stat().st_size >= size):
            return
        time.sleep(0.01)
