"""The external commands of a run: one long-lived process each, started when the first verdict is asked of it.

A verdict that is in the journal asks nothing, so a run that only replays starts no process.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Final

from vsgen.checks.process import Process
from vsgen.errors import CommandError, OptionError
from vsgen.values import Verified, Verify

_LARGEST: Final = 16_000_000
"""Bytes of a file whose content names a command's version."""


class Commands:
    """Answers `Verify` calls; closes its processes at the end of the run."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, ...], Process] = {}

    def __enter__(self) -> Commands:
        """Return itself; nothing is started yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End all processes."""
        for process in self._running.values():
            process.close()
        self._running.clear()

    def kill(self) -> None:
        """End all processes at once, also while another thread waits for a verdict of one, which it then refuses."""
        for process in list(self._running.values()):
            process.kill()

    def answer(self, calls: Sequence[Verify]) -> Sequence[Verified]:
        """The verdicts, in the order of the calls.

        Raises:
            CommandError: A command gave none; names the command and what it did.
        """
        return [self._answer(call) for call in calls]

    def _answer(self, call: Verify) -> Verified:
        try:
            if call.command not in self._running:
                self._running[call.command] = Process(call.command)
            return self._running[call.command].ask(call.row, call.timeout)
        except CommandError as error:
            if (failed := self._running.pop(call.command, None)) is not None:
                failed.close()  # another row may fare better with a new one
            raise CommandError(f"{shown(call.command)}: {error}") from None


def shown(command: Sequence[str]) -> str:
    """A command as one would type it."""
    return shlex.join(command)


def require_command(where: str, command: Sequence[str]) -> None:
    """See that a command's program is there.

    Args:
        where: What the message begins with.
        command: The program and its arguments.

    Raises:
        OptionError: It is not.
    """
    if shutil.which(command[0]) is None:
        remedy = "install it, or give its path from the folder that vsgen runs in"
        raise OptionError(f"{where}: no program named {command[0]!r} can be run here; {remedy}")


def version_of(command: Sequence[str]) -> str:
    """Names the content of the program, where it stands as a path, and of the first file among its arguments.

    That is the script that an interpreter runs. Later files may be what it writes, which would change its name.
    """
    program, *arguments = command
    paths = [Path(program)] * ("/" in program) + [Path(word) for word in arguments if Path(word).is_file()][:1]
    files = [path for path in paths if path.is_file()]
    content = blake2b(digest_size=8)
    for path in files:
        size = path.stat().st_size
        content.update(path.read_bytes() if size <= _LARGEST else str(size).encode())
    return content.hexdigest() if files else ""
