"""How many draws of a run may be under way, and when more are not worth while."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Final

from vsgen.jobs.budget import Budget, Used
from vsgen.jobs.counts import Counts

_AHEAD: Final = 2
"""Draws beyond those that are expected to do are started while less than one row in so many (1/2) is taken."""
_NEW: Final = 0.02
"""A run is saturated once less than this share of its latest candidates was new."""


class Pace:
    """Decides from what was counted so far."""

    def __init__(self, counts: Counts, budget: Budget, *, k: int, rows: int, patience: int) -> None:
        """Set up.

        Args:
            counts: Of the run, which others keep up.
            budget: What it may take.
            k: Candidates of a draw.
            rows: Draws that the model can answer side by side.
            patience: Draws without news after which a run is saturated; 0 is endless.
        """
        self._counts = counts
        self._budget = budget
        self._k = k
        self._free = rows // _AHEAD
        self._patience = patience
        self._recent: deque[tuple[int, int]] = deque(maxlen=patience)

    def most(self) -> int | None:
        """Draws that may be started and not yet handed out: bounded by what is wanted and by the budget."""
        if self._counts.stopped:
            return 0
        bounds = [self._budget.units(self._used()), self._needed()]
        return min((bound for bound in bounds if bound is not None), default=None)

    def note(self, kept: int, candidates: int) -> None:
        """Remember what a draw brought."""
        self._recent.append((kept, candidates))

    def saturated(self, unmet: Callable[[], str]) -> str | None:
        """Why more draws are not worth while, if they are not; `unmet` names the clause that holds most rarely."""
        if self._counts.wanted is None or not self._patience or len(self._recent) < self._patience:
            return None
        new, candidates = map(sum, zip(*self._recent, strict=True))
        if new >= _NEW * max(candidates, 1):
            return None
        if not candidates:
            return f"none of the last {self._patience} input rows can be used"
        why = ", ".join(f"{count} {reason}" for reason, count in self._counts.rejected.most_common())
        return f"saturated: {new} of the last {candidates} candidates were new{unmet()} (so far {why})"

    def spent(self) -> str | None:
        """Which budget cannot bear another draw."""
        return self._budget.spent(self._used())

    def _used(self) -> Used:
        counts = self._counts
        bill = counts.bill if self._budget.max_cost is not None else None
        return Used(counts.replies, counts.tokens, (bill and bill.usd) or 0.0, counts.units)

    def _needed(self) -> int | None:
        """The draws that will probably do.

        Some give less than others. Were only as many started as do on average, what then lacks would be drawn in a
        batch that is almost empty and takes nearly as long as a full one. So some are started ahead, as long as much of
        the batch is free; when enough is kept, what is still under way is given up.
        """
        counts = self._counts
        if counts.wanted is None:
            return None
        expected = (counts.kept + self._k) / (counts.units + 1)
        likely = math.ceil((counts.wanted - counts.kept) / expected)
        ahead = min(math.isqrt(likely), self._free - likely) if likely > 0 else 0
        return max(0, likely + max(0, ahead))
