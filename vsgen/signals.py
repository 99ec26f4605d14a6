"""What SIGINT, SIGTERM and SIGHUP do to a command: it ends with status 128 + its number, and no traceback.

A command ends *at once* wherever a SIGKILL would leave nothing worse behind: while modules are imported, templates read
and models opened. An exception would be no use there: whoever is interrupted may swallow it, or print it. Within
`unwound`, where replies are on their way to the journal, the signal is the exception `Stopped`, and what is open is put
away first. After `finishing` a signal comes too late: the result is there, and the status says which.

A second signal is for people who lost patience: a second after the first it ends the command wherever it is.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager, suppress

TYPE_CHECKING = False  # that of `typing` takes longer to import than all else here
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from sys import UnraisableHookArgs
    from types import FrameType
    from typing import Final, NoReturn

_HEEDED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_IMPATIENT: Final = 1.0
"""Seconds after which a second signal means itself, and is not the same one sent twice."""


class Stopped(KeyboardInterrupt):
    """A signal came."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class _State:
    """Of this process."""

    def __init__(self) -> None:
        self.first: int | None = None
        """The signal that came first."""
        self.when = 0.0
        self.unwinds = False
        """A signal is an exception."""
        self.finishing = False
        """A signal changes nothing any more."""
        self.acts: list[Callable[[], object]] = []
        self.words: Callable[[], str] = lambda: "vsgen: interrupted"


_state = _State()


def heed() -> None:
    """Heed the signals from here on, but for those that whoever started the process had ignored (``nohup``, ``&``)."""
    for number in _HEEDED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _heed)
    sys.unraisablehook = _unraisable


@contextmanager
def at_end(act: Callable[[], object]) -> Iterator[None]:
    """Within it, do something before a signal ends the process at once; `act` must not wait for another thread."""
    _state.acts.append(act)
    try:
        yield
    finally:
        _state.acts.remove(act)


@contextmanager
def last_words(words: Callable[[], str]) -> Iterator[None]:
    """Within it, what is said on standard error when a signal ends the process at once."""
    before, _state.words = _state.words, words
    try:
        yield
    finally:
        _state.words = before


@contextmanager
def unwound() -> Iterator[None]:
    """Within it, the first signal raises `Stopped`."""
    _state.unwinds = True
    try:
        yield
    finally:
        _state.unwinds = False


def finishing() -> None:
    """From here on a signal comes too late: what is left takes a moment, and is done whole."""
    _state.finishing = True


def status(stop: KeyboardInterrupt) -> int:
    """The exit status of a command that was interrupted."""
    return 128 + (stop.number if isinstance(stop, Stopped) else signal.SIGINT)


def heard() -> int:
    """The exit status of a command that the signal which came first ends; of Ctrl-C, if none has come."""
    return 128 + (_state.first or signal.SIGINT)


def leave() -> None:
    """The command is over; after a signal, so is the process: the libraries' last acts are no place for another."""
    if _state.first is not None and not _state.finishing:
        _exit(_state.first)
    finishing()


def _heed(number: int, _: FrameType | None) -> None:
    if _state.first is not None:
        if time.monotonic() - _state.when > _IMPATIENT:
            _end(_state.first)
        return
    _state.first, _state.when = number, time.monotonic()
    if _state.finishing:
        return
    if _state.unwinds:
        raise Stopped(number)
    _end(number)


def _end(number: int) -> NoReturn:
    for act in reversed(_state.acts):
        with suppress(Exception):
            act()
    with suppress(Exception):
        if sys.__stderr__ is not None:  # else its number may be that of another file
            os.write(sys.__stderr__.fileno(), f"{_state.words()}\n".encode(errors="surrogateescape"))
    _exit(number)


def _exit(number: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(128 + number)


def _unraisable(hooked: UnraisableHookArgs) -> None:
    """A destructor or a callback swallows what is raised in it, and would print it."""
    if issubclass(hooked.exc_type, Stopped):
        _end(_state.first or signal.SIGINT)
    sys.__unraisablehook__(hooked)
