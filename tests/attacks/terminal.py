"""A pseudo terminal: what a command really writes to the screen of whoever runs it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import TracebackType


class Terminal:
    """A command whose three streams are a terminal of its own; all that it writes is read at once."""

    def __init__(self, words: Sequence[object], *, folder: Path | None = None, **others: str) -> None:
        self._own, its = pty.openpty()
        self._read: list[bytes] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vsgen", *map(str, words)],
            stdin=its,
            stdout=its,
            stderr=its,
            cwd=folder,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "TERM": "xterm-256color", **others},
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL) and None,
        )
        os.close(its)
        self._reader = Thread(target=self._follow, daemon=True)
        self._reader.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """The window is gone."""
        if self._own >= 0:
            os.close(self._own)
            self._own = -1

    def screen(self, seconds: float = 120) -> bytes:
        """All that was written, once the command has ended."""
        self.process.wait(seconds)
        self._reader.join(10)
        return b"".join(self._read)

    def _follow(self) -> None:
        with suppress(OSError):  # the other end, or this one, is closed
            while data := os.read(self._own, 1 << 16):
                self._read.append(data)
