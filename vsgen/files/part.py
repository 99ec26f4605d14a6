"""What is made beside its place, under the name NAME.part, and takes the place once it is whole.

One run at a time holds the part: it is locked before anything is done to it, and renamed only while its name still
names what was locked. It is on the disk before the place is taken, and the new name is when `place` returns.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from vsgen.errors import OutputError
from vsgen.files.disk import hold, is_at, sync_data, sync_folder, sync_tree

_MINE = frozenset({"made", "cache", "before"})
"""What a folder of ours may hold."""


def part_of(path: Path) -> Path:
    """Where the lines of an unfinished `path` lie."""
    return path.with_name(path.name + ".part")


class Part:
    """A file under way."""

    def __init__(self, path: Path, *, keep: bool = True) -> None:
        """Hold the part, and leave it as it is.

        Args:
            path: The place.
            keep: It stays if it is closed unfinished.

        Raises:
            OSError: It cannot be written.
            OutputError: Another run holds it, or it is no regular file.
        """
        self._place, self._keep = path, keep
        self.path = part_of(path)
        """Where the part lies."""
        self._new = self._begun = False
        self._file = hold(self.path, self._open)

    def begin(self) -> None:
        """Empty it: what an earlier run left is of no use.

        Raises:
            OSError: The disk did not take it.
        """
        os.ftruncate(self._file, 0)
        sync_folder(self.path.parent)
        self._begun = True

    def write(self, data: bytes) -> None:
        """Append bytes; they are with the system when this returns.

        Raises:
            OSError: They could not be written.
        """
        if not self._begun:
            self.begin()
        while data:
            data = data[os.write(self._file, data) :]

    def place(self) -> None:
        """Take the place.

        Raises:
            OSError: It could not be taken.
            OutputError: The part is no longer ours, or something else than a regular file has come to lie there.
        """
        self.write(b"")
        if not is_at(self.path, self._file):
            raise OutputError(f"{self.path}: was moved or deleted while it was written; run the command again")
        _check_replaceable(self._place)
        sync_data(self._file)
        self.path.replace(self._place)
        self._keep = True
        sync_folder(self.path.parent)

    def close(self) -> None:
        """Let another run in; a part that nothing was done to, or that must not stay, is deleted."""
        if not self._keep if self._begun else self._new:
            with suppress(OSError):
                if is_at(self.path, self._file):
                    self.path.unlink()
        os.close(self._file)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a planted pipe or link must not hold us up
        while True:
            with suppress(FileExistsError):
                file = os.open(self.path, flags | os.O_CREAT | os.O_EXCL, 0o644)
                self._new = True
                return file
            with suppress(FileNotFoundError):  # whoever held it has just moved or deleted it
                self._check_regular(self.path.lstat())
                file = os.open(self.path, flags)
                self._new = False
                return file

    def _check_regular(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise OutputError(f"{self.path}: is not a regular file; move it away, or choose another -o")


class FolderPart:
    """A folder in which something is made that then takes a place; it goes when it is closed."""

    def __init__(self, path: Path) -> None:
        """Hold the folder, and empty it of what a killed run left.

        Raises:
            OSError: It cannot be made.
            OutputError: Another run holds it, or it is somebody else's.
        """
        self._place = path
        self._folder = part_of(path)
        self._file = hold(self._folder, self._open)
        try:
            self._clear()
        except BaseException:
            os.close(self._file)
            raise
        self.made = self._folder / "made"
        """Where it is made."""
        self.cache = self._folder / "cache"
        """Room for what only making it needs."""

    def __enter__(self) -> FolderPart:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Delete it, and let another run in."""
        self.close()

    def close(self) -> None:
        """Delete the folder with all that is left in it, and let another run in."""
        with suppress(OSError):
            if is_at(self._folder, self._file):
                self._put_back()  # a signal may come between the two steps of `place`
                self._empty()
                self._folder.rmdir()
        os.close(self._file)

    def place(self) -> None:
        """Put what was made into the place; a folder there is moved aside first, and deleted after.

        Raises:
            OSError: It could not be put there.
            OutputError: The folder is no longer ours.
        """
        if not is_at(self._folder, self._file):
            raise OutputError(f"{self._folder}: was moved or deleted while it was written; run the command again")
        _check_replaceable(self._place, folder=True)
        sync_tree(self.made)
        if self._place.is_dir():
            self._place.rename(self._before)
        try:
            self.made.rename(self._place)
        finally:
            self._put_back()
        sync_folder(self._place.parent)

    def _open(self) -> int:
        while True:
            with suppress(FileExistsError):
                self._folder.mkdir()
            try:
                return os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            except FileNotFoundError:  # whoever held it has just deleted it
                continue
            except NotADirectoryError as error:
                remedy = "wait for the run that writes it, resume it, or choose another -o"
                raise OutputError(f"{self._folder}: exists, and is not a folder; {remedy}") from error

    @property
    def _before(self) -> Path:
        return self._folder / "before"

    def _clear(self) -> None:
        if others := {inner.name for inner in self._folder.iterdir()} - _MINE:
            raise OutputError(f"{self._folder}: holds {min(others)!r}, which is not vsgen's; move the folder away")
        self._put_back()
        self._empty()

    def _put_back(self) -> None:
        """What was moved aside, if nothing came in its place."""
        if self._before.exists() and not os.path.lexists(self._place):
            self._before.rename(self._place)

    def _empty(self) -> None:
        for inner in self._folder.iterdir():
            if inner.is_dir() and not inner.is_symlink():
                shutil.rmtree(inner)
            else:
                inner.unlink()


def _check_replaceable(place: Path, *, folder: bool = False) -> None:
    """See that no device, pipe or link has come to lie where a whole file, or folder, is to be put."""
    mode = place.lstat().st_mode if os.path.lexists(place) else stat.S_IFREG
    if not stat.S_ISREG(mode) and not (folder and stat.S_ISDIR(mode)):
        raise OutputError(f"{place}: is not a regular file any more; move it away, then run the command again")
