"""Shows how far a command has come, while it goes on: a line that changes on a terminal, or lines for a log.

A thread of its own looks at the command several times a second, reads a clock, and has something drawn. It only reads:
nothing that the command does waits for it, or depends on it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, RLock, Thread
from typing import Any, Final, Protocol

from vsgen.cli.console import say
from vsgen.cli.folded import columns
from vsgen.cli.line import line, sentence, width
from vsgen.cli.log import LOG, fields_of, held_fields
from vsgen.cli.meter import Meter, Reading
from vsgen.cli.options import ProgressMode
from vsgen.jobs.activity import Progress
from vsgen.ports import Held
from vsgen.signals import at_end
from vsgen.terminal import is_terminal

_AT_ONCE: Final = 0.4
"""Seconds within which a command may be over; nothing is drawn before."""
_INTERVALS: Final = ((60.0, 10.0), (600.0, 30.0), (3600.0, 60.0))
"""Up to so many seconds after the beginning, a line so often."""
_SELDOM: Final = 300.0
"""Seconds between two lines after that."""
_WORTH: Final = 1.0
"""Seconds for which a server keeps requests waiting, from which on that is an event."""
_QUIET: Final = 60.0
"""Seconds after which there is a line though nothing has changed."""


class View(Protocol):
    """Who shows readings."""

    period: float
    """Seconds between two readings."""

    def show(self, reading: Reading) -> None:
        """Show one, if it is worth it."""
        ...

    def close(self) -> None:
        """No more will come."""
        ...


@contextmanager
def following(progress: Callable[[], Progress], mode: ProgressMode) -> Iterator[None]:
    """Within it, a command's progress is shown on standard error; afterwards nothing of it is left on a terminal.

    Args:
        progress: Says from another thread how far the command has come.
        mode: ``none`` shows nothing; ``auto`` draws on a terminal; else there are lines.
    """
    if mode == "none" or sys.stderr is None:
        yield
        return
    if LOG.active:
        view: View = Logged()
    elif mode == "plain" or not is_terminal(sys.stderr) or os.environ.get("TERM") == "dumb":
        view = Plain()
    else:
        view = Drawn(sys.stderr)
    follower = Follower(progress, view)
    with at_end(view.close):
        follower.start()
        try:
            yield
        finally:
            follower.stop()
            view.close()


class Follower:
    """Looks at a command again and again."""

    def __init__(
        self, progress: Callable[[], Progress], view: View, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Set up.

        Args:
            progress: Says how far the command has come.
            view: Shows it.
            clock: Seconds, from any beginning.
        """
        self._progress = progress
        self._view = view
        self._clock = clock
        self._begun = clock()
        self._meter = Meter()
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        """Look from now on, in a thread of its own."""
        self._thread.start()

    def look(self) -> None:
        """Look once."""
        self._view.show(self._meter.read(self._progress(), self._clock() - self._begun))

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(1.0)

    def _run(self) -> None:
        with suppress(OSError, ValueError):  # nobody is there any more, or the stream is closed
            while not self._stopped.wait(self._view.period):
                with suppress(RuntimeError):  # a table that was copied grew meanwhile; the next look finds it whole
                    self.look()


class Timer:
    """Says when a line is due: often at first, seldom later, and hardly ever while nothing changes."""

    def __init__(self) -> None:
        self._last = 0.0
        self._seen: object = None

    def due(self, reading: Reading) -> bool:
        """Whether this reading is worth a line; if so, the next one is due later."""
        seconds, now = reading.seconds, reading.progress
        wait = next((each for until, each in _INTERVALS if seconds <= until), _SELDOM)
        held = now.held and now.held.by
        seen = (now.phase, now.model, now.transfer, now.rows, now.units, now.drawn, dict(now.calls), held)
        if seen == self._seen:
            wait = max(wait, _QUIET)
        if seconds - self._last < wait:
            return False
        self._last, self._seen = seconds, seen
        return True


class Plain:
    """Lines, for a log that people read."""

    period = 0.5

    def __init__(self) -> None:
        self._timer = Timer()

    def show(self, reading: Reading) -> None:
        """A line, if one is due."""
        if self._timer.due(reading):
            say(f"vsgen: {f'{LOG.output}: ' if LOG.output else ''}{sentence(reading)}")

    def close(self) -> None:
        """Nothing is left to do."""


class Logged:
    """Events, for a log that programs read."""

    period = 0.1

    def __init__(self) -> None:
        self._timer = Timer()
        self._phase: object = None
        self._held: object = None

    def show(self, reading: Reading) -> None:
        """An event for each new phase, one where a server keeps requests waiting, and the counts if they are due."""
        phase = reading.progress.phase
        if phase != self._phase:
            self._phase = phase
            LOG.event("phase", phase=phase, model=reading.progress.model)
        if (held := _kept_waiting(reading.progress.held)) != self._held:
            self._held = held
            LOG.event("held", held=held_fields(reading.progress.held) if held else None)
        if self._timer.due(reading):
            LOG.event("progress", **fields_of(reading))

    def close(self) -> None:
        """Nothing is left to do."""


def _kept_waiting(held: Held | None) -> object:
    """Who keeps requests waiting, where that is worth an event: limits of our own do so all the time."""
    worth = held is not None and held.by != "own limit" and held.seconds >= _WORTH
    return (held.by, held.place) if held is not None and worth else None


class Drawn:
    """One line on a terminal that changes in place; whatever else is printed there goes above it."""

    period = 0.125

    def __init__(self, stream: Any) -> None:
        """Set up.

        Args:
            stream: Standard error. What is written to it from now on takes the line away first.
        """
        self._stream = stream
        self._lock = RLock()
        self._width = 0
        """Columns of the line that stands there; 0: there is none."""
        self._whole = True
        """What was printed last ended with the end of a line."""
        self._closed = False
        self._above = _Above(self, stream)
        sys.stderr = self._above

    def show(self, reading: Reading) -> None:
        """Draw it, in place of the last one."""
        if reading.seconds < _AT_ONCE:
            return
        with self._lock:
            if self._whole and not self._closed:
                wide = _columns(self._stream)
                text = line(reading, wide)
                self._put(f"{self._back(wide)}\r{text}\x1b[K")
                self._width = width(text)

    def print(self, text: str) -> None:
        """Print above the line."""
        with self._lock:
            self._erase()
            self._stream.write(text)
            self._stream.flush()
            self._whole = text.endswith("\n") if text else self._whole

    def close(self) -> None:
        """Take the line away; waits for no other thread, since a signal may have stopped one."""
        self._closed = True
        self._erase()
        if sys.stderr is self._above:
            sys.stderr = self._stream

    def _erase(self) -> None:
        if self._width:
            self._put(f"{self._back(_columns(self._stream))}\r\x1b[2K")
            self._width = 0

    def _back(self, columns: int) -> str:
        """To the beginning of the line that stands there; a terminal made narrower has broken it into several."""
        more = (self._width - 1) // columns if self._width else 0
        return f"\x1b[{more}A\r\x1b[J" if more > 0 else ""

    def _put(self, text: str) -> None:
        with suppress(OSError):  # the terminal may be gone
            os.write(self._stream.fileno(), text.encode(self._stream.encoding or "utf-8", "replace"))


class _Above:
    """Standard error while a line is drawn at its end."""

    def __init__(self, drawn: Drawn, stream: Any) -> None:
        self._drawn = drawn
        self._stream = stream

    def write(self, text: str) -> int:
        self._drawn.print(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _columns(stream: Any) -> int:
    """How wide the terminal is now."""
    if wide := columns(stream):
        return wide
    value = os.environ.get("COLUMNS", "")
    return int(value) if value.isdecimal() and int(value) > 0 else 80
