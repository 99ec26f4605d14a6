"""What has happened in a command so far, counted once for all commands: candidates = kept + rejected + waiting."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from vsgen.errors import VsgenError
from vsgen.jobs.bill import Bill, Billing
from vsgen.jobs.task import Made, Warn
from vsgen.verdict.finding import Verdict

SUMMARY_VERSION: Final = 1
UNLABELLED: Final = "unlabelled"
"""The flag of a label that could not be made."""


class CountError(VsgenError):
    """A fault of vsgen itself: something was lost, or counted twice."""


@dataclass(slots=True)
class Counts:
    """Every count is a sum over what is finished, in the order of the output."""

    wanted: int | None = None
    """Rows that are wanted; None where that is not known before."""
    expected: int | None = None
    """Rows that there will be at most, where none are wanted in particular; only progress is measured by it."""
    units: int = 0
    """Draws, input rows or prompts that are finished."""
    candidates: int = 0
    """All that came out of them; each ends as a row or as a reject."""
    kept: int = 0
    """Rows."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Rejects by reason."""
    waiting: int = 0
    """Candidates whose fate hangs on the last one."""
    skipped: int = 0
    """Input rows that could not be used at all."""
    replies: int = 0
    """Replies drawn from language models, those that the journal knew included."""
    tokens: int = 0
    """Tokens in them."""
    paid: Counter[str] = field(default_factory=Counter)
    """Calls answered in this process, by kind, those of unfinished draws included."""
    billing: Billing | None = None
    """Says what calls have cost, those of unfinished draws included."""
    unreadable: int = 0
    """Replies in the journal that were damaged, and so asked again where they were needed."""
    flagged: Counter[str] = field(default_factory=Counter)
    """What was odd about rows: how many have each flag."""
    cut: int = 0
    """Texts that were longer than the embedder reads."""
    stopped: str | None = None
    """Why the command ended short of what was wanted."""
    was_done: bool = False
    """Nothing was to do: the output was complete before."""
    verdict: Verdict | None = None
    """On all rows; None before the end, and where nothing was to do or is judged."""
    passed: bool = True
    """The verdict, of this run or of the one that made the output, is not bad."""

    @property
    def bill(self) -> Bill | None:
        """What calls took and cost so far; None where nothing costs anything."""
        return self.billing.bill() if self.billing else None

    @property
    def complete(self) -> bool:
        """Whether all that was wanted is kept."""
        return self.wanted is not None and self.kept >= self.wanted

    @property
    def acceptance(self) -> float | None:
        """Share of the candidates that became rows; None before the first."""
        return self.kept / self.candidates if self.candidates else None

    def add(self, made: Made[object]) -> None:
        """Count what was made of one value.

        Raises:
            CountError: A candidate of it was lost, or counted twice.
        """
        self.units += made.units
        self.candidates += made.candidates
        self.waiting += made.waiting
        self.kept += len(made.rows)
        self.rejected.update(made.reasons)
        self.skipped += made.skipped is not None
        self.replies += made.replies
        self.tokens += made.tokens
        self.flagged.update(made.flags)
        if self.candidates != self.kept + self.rejected.total() + self.waiting or self.waiting < 0:
            raise self._fault()

    def skipping(self, warn: Warn) -> Warn:
        """What is done about an input row that cannot be used: it is counted, and `warn` gets the problem."""

        def skip(problem: str) -> None:
            self.skipped += 1
            warn(problem)

        return skip

    def close(self) -> None:
        """Nothing is added any more.

        Raises:
            CountError: A candidate still waits.
        """
        if self.waiting:
            raise self._fault()

    def summary(self, command: str, model: str | None, seconds: float) -> dict[str, object]:
        """For machines: what docs/summary.md describes.

        Args:
            command: Its name.
            model: The language model's own name; None where none may be asked.
            seconds: That the command took.
        """
        verdict, bill = None if self.verdict is None else self.verdict.summary(), self.bill
        return {
            "version": SUMMARY_VERSION,
            "command": command,
            "model": model,
            "rows": self.kept,
            "wanted": self.wanted,
            "stopped": self.stopped,
            "candidates": self.candidates,
            "acceptance": self.acceptance,
            "rejected": dict(sorted(self.rejected.items())),
            "units": self.units,
            "skipped": self.skipped,
            "flags": dict(sorted(self.flagged.items())),
            "replies": self.replies,
            "tokens": self.tokens,
            "calls": dict(sorted(self.paid.items())),
            "unreadable": self.unreadable,
            "cost": bill and bill.cost,
            **({"usage": bill.summary()} if bill else {}),
            "passed": self.passed,
            "verdict": verdict,
            "seconds": round(seconds, 3),
        }

    def _fault(self) -> CountError:
        return CountError(
            f"counts: {self.candidates} candidates, but {self.kept} rows + {self.rejected.total()} rejects + "
            f"{self.waiting} waiting; this is a bug in vsgen, please report it with the command"
        )
