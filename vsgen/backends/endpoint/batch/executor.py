"""An executor whose calls are answered by file: at once where the results have all that is needed, else next time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from vsgen.backends.endpoint.batch.kept import Shelf
from vsgen.backends.endpoint.batch.rounds import Round, Waits, played
from vsgen.backends.endpoint.counted import counted
from vsgen.backends.endpoint.settings import Target
from vsgen.backends.endpoint.wire import Usage
from vsgen.errors import ModelError, VsgenError
from vsgen.ports import Executor, Letterbox, Ticket
from vsgen.values import Call, Refused

MOST: Final = 100_000
"""Calls of a round."""
_REASONS: Final = 20
"""Different ones that are counted apart."""


class Outbox(Protocol):
    """Where requests are written that have to be answered."""

    def add(self, target: Target, waits: Waits) -> None:
        """Write one.

        Raises:
            OutputError: It cannot be written.
        """
        ...


class Inner(Executor, Protocol):
    """Who answers at once."""

    def cancel(self) -> None:
        """Give up what was handed in."""
        ...


@dataclass(slots=True)
class Tally:
    """What became of calls, those of all executors of a command."""

    answered: int = 0
    """By the results, refusals included."""
    refused: int = 0
    written: int = 0
    """Requests that wait for an answer."""
    again: Counter[str] = field(default_factory=Counter)
    """Requests that had a result of no use, by reason; they are written again."""


class BatchExecutor:
    """An executor that has responses on a shelf, and has requests written; see `vsgen.ports.Executor`."""

    def __init__(
        self,
        target: Target,
        key: Callable[[Call], str],
        letters: Letterbox,
        shelf: Shelf,
        tally: Tally,
        *,
        outbox: Outbox | None = None,
        inner: Inner | None = None,
    ) -> None:
        """Set up.

        Args:
            target: Whom requests are meant for.
            key: Of a call in the journal.
            letters: Where answers go.
            shelf: The responses that have come.
            tally: What is counted.
            outbox: Who writes the requests that wait; None where there is an `inner`.
            inner: Who answers those calls at once that the responses do not answer.
        """
        self._target = target
        self._key = key
        self._letters = letters
        self._shelf = shelf
        self._tally = tally
        self._outbox = outbox
        self._inner = inner
        self.held = 0
        """Calls that no one will answer in this run."""

    def submit(self, ticket: Ticket, call: Call) -> None:
        """Answer a call, or have its next request written."""
        try:
            self._submit(ticket, call)
        except VsgenError as error:
            self._letters.fail(error)
        except Exception as error:
            self._letters.fail(ModelError(f"{self._target.name}: {type(error).__name__}: {error}"))

    def flush(self) -> None:
        """Let the others begin."""
        if self._inner is not None:
            self._inner.flush()

    def room(self) -> int:
        """How many more calls a round may have."""
        return MOST - self.held if self._inner is None else self._inner.room()

    def drawing(self) -> list[tuple[Ticket, int]]:
        """Nothing is known of a reply before it is there."""
        return []

    def cancel(self) -> None:
        """Give up what others answer."""
        if self._inner is not None:
            self._inner.cancel()

    def close(self, *, cancel: bool) -> None:
        """Nothing is under way here."""
        if self._inner is not None:
            self._inner.close(cancel=cancel)

    def _submit(self, ticket: Ticket, call: Call) -> None:
        target = self._target
        dialog = target.wire.dialog(call, target.model, target.can)
        come = played(dialog, self._key(call), self._shelf.find)
        self._keep(come)
        if isinstance(come.end, Waits):
            self._wait(ticket, call, come.end)
            return
        answer = counted(come.end, call, len(come.used), Usage())
        self._tally.answered += bool(come.used)
        self._tally.refused += isinstance(answer, Refused)
        self._letters.put_all([(ticket, answer)])

    def _keep(self, come: Round) -> None:
        """Keep what the next run needs, before anything is written that hangs on it."""
        if isinstance(come.end, Waits) or isinstance(come.end.answer, Refused):
            for name, found in come.used:
                self._shelf.keep(name, found)

    def _wait(self, ticket: Ticket, call: Call, waits: Waits) -> None:
        if waits.lost is not None:
            again, why = self._tally.again, waits.lost.why
            again[why if why in again or len(again) < _REASONS else "other reasons"] += 1
        if self._inner is not None:
            self._inner.submit(ticket, call)
            return
        if self._outbox is not None:
            self._outbox.add(self._target, waits)
            self._tally.written += 1
        self.held += 1
