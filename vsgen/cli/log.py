"""``--log-json``: what would be printed on standard error, as one JSON object a line; see docs/progress.md."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from vsgen.cli.meter import Reading
    from vsgen.ports import Held

VERSION: Final = 1
"""Of the events and their fields. A field or an event may be added without a new one; none is renamed or dropped."""
OPTION: Final = "--log-json"


class Log:
    """The log of this process."""

    def __init__(self) -> None:
        self.active = False
        """Standard error is a log."""
        self.output: str | None = None
        """The file that rows go to, so that the lines of two commands in one log can be told apart."""
        self._begun = 0.0

    def begin(self, words: Sequence[str]) -> None:
        """Log if these words of the command line ask for it, so that what is wrong with the others is logged too."""
        options = words[: words.index("--")] if "--" in words else words
        self.active, self.output, self._begun = OPTION in options, None, time.monotonic()

    def line(self, event: str, **fields: object) -> str:
        """An event as a line."""
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        seconds = round(time.monotonic() - self._begun, 3)
        shown = {"event": event, "time": when, "seconds": seconds, "output": self.output, **fields}
        return json.dumps(shown, default=str)  # in ASCII, whatever the names of files hold

    def event(self, event: str, **fields: object) -> None:
        """Write an event, if anyone is there to read it."""
        with suppress(OSError):
            typer.echo(self.line(event, **fields), err=True)

    @contextmanager
    def ended(self) -> Iterator[None]:
        """Within it a command runs; the last line says how it ended."""
        try:
            yield
        except typer.Exit as end:
            self._end(end.exit_code)
            raise
        except SystemExit as end:
            self._end(end.code)
            raise
        else:
            self._end(0)
        finally:
            self.output = None

    def _end(self, status: object) -> None:
        if self.active:
            self.event("end", status=status or 0)


LOG: Final = Log()


def fields_of(reading: Reading) -> dict[str, object]:
    """What the event `progress` says."""
    now, transfer, oldest = reading.progress, reading.progress.transfer, reading.progress.oldest
    return {
        "phase": now.phase,
        "model": now.model,
        "bytes": transfer and transfer.done,
        "bytes_total": transfer and transfer.size,
        "rows": now.rows,
        "wanted": now.wanted,
        "units": now.units,
        "rejected": now.rejected,
        "replies": now.replies,
        "tokens": now.drawn,
        "recalled_tokens": now.recalled_tokens,
        "prompt_tokens": now.bill and now.bill.usage.prompt,
        "cost": now.bill and now.bill.cost,
        "calls": now.calls,
        "waiting": now.waiting,
        "drawing": now.drawing,
        "drawing_tokens": now.drawing_tokens,
        "oldest": oldest
        and {
            "unit": oldest.unit,
            "kind": oldest.kind,
            "tokens": oldest.tokens,
            "seconds": round(reading.waited, 3),
        },
        "held": held_fields(now.held),
        "rows_per_minute": _rounded(reading.rows_per_second, 60),
        "tokens_per_second": _rounded(reading.tokens_per_second),
        "bytes_per_second": _rounded(reading.bytes_per_second),
        "seconds_left": reading.left and [round(seconds, 1) for seconds in reading.left],
    }


def held_fields(held: Held | None) -> dict[str, object] | None:
    """Why requests to a server wait."""
    return held and {"by": held.by, "server": held.place, "seconds": round(held.seconds, 3), "why": held.why or None}


def _rounded(number: float | None, times: float = 1.0) -> float | None:
    return None if number is None else round(number * times, 3)
