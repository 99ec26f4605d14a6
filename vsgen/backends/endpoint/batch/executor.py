"""An executor whose calls are answered by file: at once where the results have all that is needed, else next time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from vsgen.backends.endpoint.batch.ahead import ahead
from vsgen.backends.endpoint.batch.kept import Shelf
from vsgen.backends.endpoint.batch.names import Name, name_of
from vsgen.backends.endpoint.batch.results import Found, in_vain, usable
from vsgen.backends.endpoint.batch.rounds import Round, Waits, again, played
from vsgen.backends.endpoint.counted import counted, withheld
from vsgen.backends.endpoint.http import Request
from vsgen.backends.endpoint.settings import Target
from vsgen.backends.endpoint.wire import Said, Usage
from vsgen.digests import DigestMap
from vsgen.errors import ModelError, VsgenError
from vsgen.ports import Executor, Letterbox, Ticket
from vsgen.values import Answer, Call, Refused

MOST: Final = 4096
"""Calls that may wait at once; a round goes on with others once nothing else can be done."""
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

    @property
    def hedges(self) -> tuple[int, int]:
        """Requests that were sent a second time, and those of them that were answered first."""
        ...

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
        """Calls that flows wait for, and no one will answer in this run."""
        self._written = DigestMap(0)
        """Requests that are written: another flow may ask the same."""

    def submit(self, ticket: Ticket, call: Call) -> None:
        """Answer a call, or have its next requests written."""
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
        """How many more calls may wait."""
        return MOST - self.held if self._inner is None else self._inner.room()

    @property
    def hedges(self) -> tuple[int, int]:
        """Those of whom answers at once."""
        return (0, 0) if self._inner is None else self._inner.hedges

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

    def forget(self) -> None:
        """Nobody waits any more for the calls that are held."""
        self.held = 0

    def _submit(self, ticket: Ticket, call: Call) -> None:
        target = self._target
        dialog = target.wire.dialog(call, target.model, target.can)
        come = played(dialog, self._key(call), self._shelf.find)
        self._keep(come)
        if isinstance(come.end, Waits):
            self._wait(ticket, call, [come.end, *self._others(call, come.end)])
            return
        answer = self._answer(come.end, call, [found for _, found in come.used])
        self._letters.put_all([(ticket, withheld(answer))])

    def _answer(self, said: Said, call: Call, used: Sequence[Found]) -> Answer:
        """The answer to a call, and what it took; a refusal that an earlier run has read is not counted again."""
        if used and all(found.kept for found in used) and isinstance(said.answer, Refused):
            return said.answer
        self._tally.answered += bool(used)
        self._tally.refused += isinstance(said.answer, Refused)
        return counted(said, call, len(used), sum((found.taken for found in used), Usage()))

    def _keep(self, come: Round) -> None:
        """Keep what the next run needs, before anything is written that hangs on it."""
        if isinstance(come.end, Waits) or isinstance(come.end.answer, Refused):
            for name, found in come.used:
                self._shelf.keep(name, found)

    def _others(self, call: Call, first: Waits) -> Iterator[Waits]:
        """What else of a call can be asked now; what has come of that is kept until its dialog comes there."""
        key = self._key(call)
        for number, request in enumerate(ahead(self._target, call), start=1):
            name = name_of(key, request, number)
            if name.digest == first.name.digest:
                continue
            found = self._shelf.find(name)
            waits = Waits(name, request) if found is None else self._kept(name, request, found)
            if waits is not None:
                yield waits

    def _kept(self, name: Name, request: Request, found: Found) -> Waits | None:
        """Keep what came of a request; what to send where that is of no use."""
        lost = usable(found.came)
        if lost is None or lost.blamed:
            self._shelf.keep(name, in_vain(found, lost) if lost else found)
        return again(name, request, found.attempt, lost) if lost else None

    def _wait(self, ticket: Ticket, call: Call, waits: Sequence[Waits]) -> None:
        for lost in (one.lost for one in waits if one.lost is not None):
            counts, why = self._tally.again, lost.why
            counts[why if why in counts or len(counts) < _REASONS else "other reasons"] += 1
        if self._inner is not None:
            self._inner.submit(ticket, call)
            return
        self.held += 1
        for one in waits:
            self._write(one)

    def _write(self, waits: Waits) -> None:
        digest = bytes.fromhex(waits.name.digest)
        if self._outbox is not None and self._written.get(digest) is None:
            self._outbox.add(self._target, waits)
            self._written[digest] = b""
            self._tally.written += 1
