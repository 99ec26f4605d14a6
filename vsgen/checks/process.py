"""One external command: a process that reads rows and writes verdicts, one JSON object a line, in lock-step.

A row goes in only when the verdict on the one before is out, so a verdict belongs to its row whatever the command does.
All waiting is in one loop over the three pipes, and ends at a deadline: a command that floods a pipe, or does not read
its own, blocks nobody. The process has the user's rights and a session of its own, so that Ctrl-C reaches vsgen first.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import IO, Final

import orjson

from vsgen.errors import CommandError
from vsgen.values import Verified

_LONGEST_LINE: Final = 1 << 20
_KEPT_ERRORS: Final = 4096
"""Bytes of standard error that are remembered, from its end."""
_SHOWN_LINES: Final = 3
_LONGEST_SHOWN: Final = 200
_READ: Final = 1 << 16
_GRACE: Final = 2.0
"""Seconds for a process to end by itself, and then once more after being asked to."""
_SLOW: Final = "does it flush standard output after each line? 'timeout:' of the check allows it more time"


class Process:
    """A running command."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it.

        Args:
            command: The program and its arguments.

        Raises:
            CommandError: It cannot be started.
        """
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                list(command), stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True
            )
        except (OSError, ValueError) as error:
            raise CommandError(f"cannot be started: {getattr(error, 'strerror', None) or error}") from error
        self._asked = 0
        self._unsent = b""
        self._out = b""
        """Of standard output, what came after the last verdict."""
        self._errors = b""
        for stream in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(stream.fileno(), False)

    def ask(self, row: str, timeout: float) -> Verified:
        """The verdict on a row.

        Args:
            row: A JSON object.
            timeout: Seconds until it must be there.

        Raises:
            CommandError: The process has ended, is too slow, or writes something else than a verdict on this row.
        """
        self._asked += 1
        self._out = (self._out + (_read(self._stdout) or b"")).lstrip()
        if self._out:
            raise self._failed(f"wrote an unexpected line: {_shown(self._out)}")
        self._unsent = orjson.dumps({"id": self._asked, **orjson.loads(row)}, option=orjson.OPT_APPEND_NEWLINE)
        return self._verdict(self._exchange(timeout))

    def kill(self) -> None:
        """End it at once; `close` is still to be called."""
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it: by the end of its input, else by a signal."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        for end in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE)
                break
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, end)
        else:
            self._process.wait()
        self._stdout.close()
        self._stderr.close()

    @property
    def _stdin(self) -> IO[bytes]:
        return _there(self._process.stdin)

    @property
    def _stdout(self) -> IO[bytes]:
        return _there(self._process.stdout)

    @property
    def _stderr(self) -> IO[bytes]:
        return _there(self._process.stderr)

    def _exchange(self, timeout: float) -> bytes:
        """Write what is unsent while reading; returns the first line that comes back."""
        deadline = time.monotonic() + timeout
        with selectors.DefaultSelector() as pipes:
            pipes.register(self._stdin, selectors.EVENT_WRITE, self._write)
            pipes.register(self._stdout, selectors.EVENT_READ, self._read_out)
            pipes.register(self._stderr, selectors.EVENT_READ, self._read_errors)
            while b"\n" not in self._out:
                ready = pipes.select(left) if (left := deadline - time.monotonic()) > 0 else []
                if not ready:
                    raise self._failed(f"wrote no verdict within {timeout:g} s ({_SLOW})")
                for key, _ in ready:
                    if not key.data():
                        pipes.unregister(key.fileobj)
        verdict, self._out = self._out.split(b"\n", 1)
        if self._unsent:
            raise self._failed(f"wrote a line before it read its row: {_shown(verdict)}")
        return verdict

    def _write(self) -> bool:
        """Write what the pipe takes; says whether there is more to write."""
        with contextlib.suppress(BlockingIOError):
            try:
                self._unsent = self._unsent[os.write(self._stdin.fileno(), self._unsent) :]
            except BrokenPipeError:
                return False  # it does not read any more; its end shows on its standard output
        return bool(self._unsent)

    def _read_out(self) -> bool:
        data = _read(self._stdout)
        if data == b"":
            raise self._ended()
        self._out += data or b""
        if len(self._out) > _LONGEST_LINE:
            raise self._failed(f"wrote {_LONGEST_LINE:,} bytes at once instead of a verdict")
        return True

    def _read_errors(self) -> bool:
        data = _read(self._stderr)
        self._errors = (self._errors + (data or b""))[-_KEPT_ERRORS:]
        return data != b""

    def _ended(self) -> CommandError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        status = self._process.returncode
        if status is None:
            return self._failed("closed its standard output")
        how = f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"
        return self._failed(f"{how} before it wrote a verdict")

    def _verdict(self, line: bytes) -> Verified:
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict) or not isinstance(found.get("ok"), bool):
            raise self._failed(f'must write verdicts such as {{"ok": true}}, wrote {_shown(line)}')
        if found.get("id", self._asked) != self._asked:
            raise self._failed(f"answers out of order: was asked about id {self._asked}, wrote {_shown(line)}")
        return Verified(found["ok"], _clean(str(found.get("problem") or "")))

    def _failed(self, what: str) -> CommandError:
        while self._read_errors() and _ready(self._stderr):
            pass
        lines = [_clean(line) for line in self._errors.decode("utf-8", "replace").splitlines()]
        last = " | ".join([line for line in lines if line][-_SHOWN_LINES:])
        return CommandError(f"{what}; the end of its standard error: {last}" if last else what)


def _there(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise TypeError("the process was started without this pipe")
    return stream


def _read(stream: IO[bytes]) -> bytes | None:
    """What is there to read; empty at the end, None if nothing is there yet."""
    try:
        return os.read(stream.fileno(), _READ)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _ready(stream: IO[bytes]) -> bool:
    with selectors.DefaultSelector() as pipes:
        pipes.register(stream, selectors.EVENT_READ)
        return bool(pipes.select(0))


def _shown(line: bytes) -> str:
    return repr(_clean(line.decode("utf-8", "replace")))


def _clean(text: str) -> str:
    """On one line, without control characters, short."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _LONGEST_SHOWN else line[: _LONGEST_SHOWN - 1] + "…"
