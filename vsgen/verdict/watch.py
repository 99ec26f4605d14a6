"""Looks at a run while it goes on: an alarm after the first draws, so that nobody waits an hour for useless rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vsgen.flows.draw import Outcome
from vsgen.values import SoftLabel, Unlabelled
from vsgen.verdict.finding import Finding, Verdict
from vsgen.verdict.findings import assess
from vsgen.verdict.observed import Known, Observed
from vsgen.verdict.setup import Setup

_FIRST: Final = 20
"""The first look comes after so many candidates (or four draws, if these are small) or rows; then whenever the run is
twice as long as at the last look."""


class Watch:
    """Counts the finished draws of a run, in their order, and judges them."""

    def __init__(self, asked: Setup) -> None:
        """Set up, for a run with a setting."""
        self._asked = asked
        self._observed = Observed.of(asked.template)
        self._next = _FIRST
        self._told: set[str] = set()

    def add(self, outcome: Outcome) -> list[str]:
        """Count a draw; returns an alarm for everything bad that was not known before, mostly nothing."""
        self._observed.add(outcome)
        return self._look()

    def add_row(self, labels: Mapping[str, SoftLabel | Unlabelled], of: int | None = None) -> list[str]:
        """Count a row that was only labelled; returns as `add` does, and nothing of the last row, which ends the run.

        Args:
            labels: Of the row.
            of: How many rows there will be at most; None where that is not known.
        """
        self._observed.add_row(labels)
        return [] if self._observed.rows == of else self._look()

    def add_known(self, name: str, known: Known) -> None:
        """Take what rows of known class say of the labels of a name, unless more rows have said it already."""
        before = self._observed.known.get(name)
        if before is None or (known.n >= before.n and not before.prior_alone):
            self._observed.known[name] = known

    def verdict(self) -> Verdict:
        """On all draws so far."""
        return assess(self._observed, self._asked)

    def _look(self) -> list[str]:
        if self._observed.size < self._next:
            return []
        self._next = 2 * self._observed.size
        return [self._alarm(one) for one in self.verdict().findings if self._is_new(one)]

    def _is_new(self, finding: Finding) -> bool:
        new = finding.level == "bad" and finding.name not in self._told
        if new:
            self._told.add(finding.name)
        return new

    def _alarm(self, finding: Finding) -> str:
        seen = self._observed
        return f"after {seen.draws or seen.rows} {'draws' if seen.draws else 'rows'}: {finding}"
