"""What differs from command to command: where values come from, when there are enough, and what becomes of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar

from vsgen.files.origin import Origin
from vsgen.files.places import Places
from vsgen.files.rows import Seen
from vsgen.ports import Source
from vsgen.verdict.finding import Verdict

if TYPE_CHECKING:
    from vsgen.jobs.counts import Counts
    from vsgen.jobs.desk import Desk
    from vsgen.jobs.wanted import Wanted

R = TypeVar("R")
V_co = TypeVar("V_co", covariant=True)

Line: TypeAlias = Mapping[str, object]
"""A JSON object, a line of a file."""
Warn: TypeAlias = Callable[[str], None]
"""Gets what the user should know but what does not stop a command."""


@dataclass(frozen=True, slots=True)
class Made(Generic[V_co]):
    """What became of one value: what is written, what is counted, and what is reported."""

    rows: Sequence[Line] = ()
    rejects: Sequence[Line] = ()
    """Each has its ``reason``."""
    values: Sequence[V_co] = ()
    """The rows, as they are for Python."""
    units: int = 0
    """Draws, input rows or prompts that this finishes."""
    candidates: int = 0
    waiting: int = 0
    """Candidates that wait from now on; negative for those that waited and are among the rows or rejects now."""
    replies: int = 0
    tokens: int = 0
    flags: Sequence[str] = ()
    """What is odd about the rows."""
    skipped: str | None = None
    """Why an input row could not be used at all."""
    problems: Sequence[str] = ()
    """What the user should know of this value."""
    notes: Sequence[str] = ()
    """What the user should know once."""

    @property
    def reasons(self) -> list[str]:
        """Why the rejects are none of the rows."""
        return [str(line["reason"]) for line in self.rejects]


class Task(Protocol[R, V_co]):
    """One command, ready to be carried out by `vsgen.jobs.carry`."""

    command: str
    """Its name: run, label, targets, measure."""
    noun: str
    """What its units are called: draws, input rows, prompts."""

    @property
    def places(self) -> Places:
        """Its files."""
        ...

    @property
    def wanted(self) -> int | None:
        """Rows that are wanted; None where that is not known before."""
        ...

    @property
    def origin(self) -> Origin:
        """What its output is made from."""
        ...

    @property
    def models(self) -> Wanted | None:
        """The models that it may ask; None asks none."""
        ...

    def source(self, desk: Desk, counts: Counts, warn: Warn) -> Source[R]:
        """Where the flows come from. Asked once, when all models are known.

        Args:
            desk: The models.
            counts: Which are kept up from now on.
            warn: For what the user should know.

        Raises:
            UserError: There is nothing to do, or something is wrong with it.
        """
        ...

    def most(self) -> int | None:
        """Flows that may be started and not yet handed out; None bounds nothing, 0 starts no more."""
        ...

    def made(self, value: R) -> Made[V_co]:
        """What became of the next value, in the order of the flows."""
        ...

    def enough(self) -> bool:
        """Decide whether the command ends here; the reason, if it is short, goes into `Counts.stopped`.

        Asked when all that was made so far is counted and written.
        """
        ...

    def rest(self) -> Iterator[Made[V_co]]:
        """What had to wait for the last value; a command that ended by itself decides here whether it is short."""
        ...

    def seen(self) -> Seen | None:
        """What was read of the input; None where there is none."""
        ...

    def verdict(self) -> Verdict | None:
        """On all that was made; None where nothing is judged."""
        ...

    def unjudged(self) -> str | None:
        """What the verdict cannot see, and how to look at it; None where that needs no word."""
        ...

    def report(self) -> list[str]:
        """Lines for people, once all is done."""
        ...
