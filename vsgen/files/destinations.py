"""Where a name leads that is to be written: to a file, which is made beside its place, or to what is written through.

Written through is what has no place that a whole file could take: a device, a pipe, and a file that somebody has open
and names by its number (``/dev/stdout``, ``/dev/fd/3``), whatever it is. Symbolic links are followed once, so that a
link stays one and what it leads to is replaced.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from vsgen.errors import OptionError

_LINKS = 40
"""As many as the system follows."""
_OPEN_FILES = re.compile(r"/dev/fd|/proc/(\d+)/(?:task/\d+/)?fd")
_SYSTEM = re.compile(r"/(?:dev(?!/shm(?:/|$))|proc)(?:/|$)")
"""Folders whose names the system makes; in /dev/shm users do."""


def destination(path: Path) -> Path:
    """The file that a name leads to; the name itself, if what it leads to is written through.

    Raises:
        OptionError: It leads nowhere, or to what cannot be written.
    """
    try:
        end = _end(path)
        problem = _problem(end)
    except OSError as error:
        raise OptionError(f"{path}: {error.strerror}; name another file") from error
    if problem:
        raise OptionError(f"{path}: {problem}")
    return path if is_written_through(end) else end


def is_written_through(path: Path) -> bool:
    """Whether a name leads to what no whole file may replace, but lines may go to as they come."""
    end = _end(path)
    return _is_open_file(end) or _in_system(end) or _is_stream(end)


def open_through(path: Path, warn: Callable[[str], None]) -> int:
    """Open what is written through; returns a descriptor that is ours to close.

    A file that is named by its number goes on where it is, after what others wrote. A named pipe waits for its reader.

    Args:
        path: The name.
        warn: Gets that a pipe has no reader yet.

    Raises:
        OSError: It cannot be opened.
    """
    number = _own_number(_end(path))
    if number is not None:
        return os.dup(number)
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOCTTY
    try:
        file = os.open(path, flags | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ENXIO or not path.is_fifo():
            raise
        warn(f"{path}: is a pipe without a reader; waiting for one")
        return os.open(path, flags)
    os.set_blocking(file, True)
    return file


def _end(path: Path) -> Path:
    """What the last of a name's links names."""
    end = path
    for _ in range(_LINKS):
        if not end.is_symlink() or _is_open_file(end):
            return end
        end = end.parent / end.readlink()
    raise OptionError(f"{path}: its symbolic links form a loop; name a file")


def _problem(end: Path) -> str | None:
    """Why it cannot be written, and what to do."""
    number = _own_number(end)
    if number is not None:
        return None if _is_writable(number) else "is not open for writing; name a file"
    if not end.exists():
        return "is not a device, and no file can be created there; name another file" if _in_system(end) else None
    mode = end.stat().st_mode
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        return "is a block device or a socket, which rows cannot be written to; name a file"
    return None


def _is_open_file(end: Path) -> bool:
    return bool(_OPEN_FILES.fullmatch(os.path.realpath(end.parent)))


def _in_system(end: Path) -> bool:
    return bool(_SYSTEM.match(os.path.realpath(end.parent)))


def _is_stream(end: Path) -> bool:
    try:
        mode = end.stat().st_mode
    except OSError:
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def _own_number(end: Path) -> int | None:
    """The descriptor that a name names, if it is one of this process."""
    folder = _OPEN_FILES.fullmatch(os.path.realpath(end.parent))
    if not folder or not end.name.isdecimal() or folder[1] not in {None, str(os.getpid())}:
        return None
    return int(end.name)


def _is_writable(number: int) -> bool:
    try:
        return fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
    except OSError:
        return False
