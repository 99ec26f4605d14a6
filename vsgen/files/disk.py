"""What is asked of the file system beyond writing: that a file is one run's own, and that it outlives a power cut."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from vsgen.errors import BusyError


def lock(file: int, path: Path) -> None:
    """Lock an open file or folder, until it is closed.

    Raises:
        BusyError: Another run holds it, or the file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BusyError(f"{path}: another vsgen run is writing here; wait for it, or choose") from error
    except OSError as error:
        raise BusyError(f"{path}: cannot be locked: {error.strerror}; choose") from error


def hold(path: Path, opened: Callable[[], int]) -> int:
    """Open and lock what a path names: whoever held it before may have moved it away between the two.

    Args:
        path: Where it lies.
        opened: Opens it, and makes it where it is missing.

    Raises:
        OSError: It cannot be opened.
        BusyError: Another run holds it.
    """
    while True:
        file = opened()
        try:
            lock(file, path)
            if is_at(path, file):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def refuse_held(path: Path) -> None:
    """See that no run holds a file.

    Raises:
        OSError: It cannot be opened.
        BusyError: One does.
    """
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        lock(file, path)
    finally:
        os.close(file)


def is_at(path: Path, file: int) -> bool:
    """Whether a path names an open file, itself and not by a link."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(file))
    except FileNotFoundError:
        return False


def sync_data(file: int) -> None:
    """Write what a file holds to the disk; a device has nothing to write.

    Raises:
        OSError: The disk did not take it.
    """
    try:
        os.fdatasync(file)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk, where it may be read and its file system can.

    Raises:
        OSError: The disk did not take them.
    """
    with suppress(PermissionError):
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            sync_data(file)
        finally:
            os.close(file)


def sync_tree(root: Path) -> None:
    """Write a file, or a folder with all in it, to the disk.

    Raises:
        OSError: The disk did not take it.
    """
    if root.is_dir():
        for inner in root.iterdir():
            sync_tree(inner)
        sync_folder(root)
        return
    with root.open("rb") as file:
        sync_data(file.fileno())
