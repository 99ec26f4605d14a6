"""A file that grows at its end only, held by one run at a time.

What is appended is with the system when `append` returns, so a process that is killed loses nothing; and a sync that
writes it to the disk itself begins at most a second later, so a power cut loses a second.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from threading import Event, Thread
from types import TracebackType

from vsgen.errors import FullError, OutputError
from vsgen.files.disk import hold, sync_data, sync_folder

_SECONDS = 1.0


class Appended:
    """The open file."""

    def __init__(self, path: Path, what: str) -> None:
        """Open or create it, and lock it.

        Args:
            path: Where it lies.
            what: Names it in messages: "the journal".

        Raises:
            OutputError: It cannot be written, or another run holds it.
        """
        self.path = path
        self._what = what
        flags, real = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, Path(os.path.realpath(path))
        try:
            self._file = hold(real, lambda: os.open(real, flags, 0o644))
            try:
                sync_folder(real.parent)
            except BaseException:
                os.close(self._file)
                raise
        except OSError as error:
            raise OutputError(f"{path}: cannot write {what}: {error.strerror}; choose another path") from error
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            os.close(self._file)
            raise OutputError(f"{path}: is not a regular file, so {what} cannot be written there; choose another")
        self.size = os.fstat(self._file).st_size
        """Bytes that are in it."""
        self._sync = _Sync(self._file)

    def __enter__(self) -> Appended:
        """Return the open file itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Sync, and let another run in.

        Raises:
            OutputError: The disk did not take what was appended, and no other error is on its way.
        """
        failed = self._sync.stop()
        os.close(self._file)
        if failed and error is None:
            raise self._failure(failed.strerror) from failed

    def fileno(self) -> int:
        """For `mmap` and `open`."""
        return self._file

    def read(self, size: int, at: int) -> bytes:
        """Bytes out of the middle; fewer where the file ends."""
        return os.pread(self._file, size, at)

    def begin(self, first: bytes) -> None:
        """Append what says what the file is, and sync it before anything may follow.

        Raises:
            OutputError: See `append`.
        """
        self.append(first)
        self.sync()

    def append(self, data: bytes) -> int:
        """Add bytes by a single write; returns where they begin.

        Raises:
            OutputError: They could not be written whole, and what was is cut off again; or an earlier sync has failed.
        """
        try:
            if self._sync.failed:
                raise self._sync.failed
            written = os.write(self._file, data)
        except OSError as error:
            raise self._failure(error.strerror) from error
        if written < len(data):
            os.ftruncate(self._file, self.size)
            raise self._failure("the disk is full")
        self._sync.due()
        self.size += written
        return self.size - written

    def sync(self) -> None:
        """Write all that is in it to the disk now, by whatever run it came.

        Raises:
            OutputError: The disk did not take it.
        """
        if failed := self._sync.now():
            raise self._failure(failed.strerror) from failed

    def cut(self, size: int) -> None:
        """Drop all behind the first `size` bytes: a torn tail."""
        os.ftruncate(self._file, size)
        self.size = size

    def _failure(self, why: str | None) -> FullError:
        return FullError(f"{self.path}: cannot write {self._what}: {why}")


class _Sync:
    """Writes a file's new bytes to the disk once a second, in a thread of its own that starts with the first."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._due = Event()
        self._stopped = Event()
        self._thread: Thread | None = None
        self.failed: OSError | None = None
        """Why the disk did not take them."""

    def due(self) -> None:
        """There are new bytes."""
        self._due.set()
        if self._thread is None:
            self._thread = Thread(target=self._work, name="sync", daemon=True)
            self._thread.start()

    def stop(self) -> OSError | None:
        """Sync for the last time; returns what went wrong, now or before."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._write()
        return self.failed

    def _work(self) -> None:
        while not self._stopped.wait(_SECONDS):
            self._write()

    def _write(self) -> None:
        if self._due.is_set():
            self.now()

    def now(self) -> OSError | None:
        """Sync; returns what went wrong, now or before: what a disk has once refused it may have thrown away."""
        self._due.clear()
        try:
            if not self.failed:
                sync_data(self._file)
        except OSError as error:
            self.failed = error
        return self.failed
