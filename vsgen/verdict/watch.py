"""Looks at a run while it goes on: an alarm after the first draws, so that nobody waits an hour for useless rows."""

from __future__ import annotations

from typing import Final

from vsgen.pipeline import Outcome
from vsgen.template.schema import Template
from vsgen.verdict.finding import Finding, Verdict
from vsgen.verdict.findings import judge
from vsgen.verdict.observed import Observed

_DRAWS: Final = 4
_CANDIDATES: Final = 20
"""The first look comes after so many draws or so many candidates, whichever is first; then whenever the draws have
doubled."""


class Watch:
    """Counts the finished draws of a run, in their order, and judges them."""

    def __init__(self, template: Template) -> None:
        """Set up, for a run of a template."""
        self._template = template
        self._observed = Observed.of(template)
        self._next: int | None = None
        self._told: set[str] = set()

    def add(self, outcome: Outcome) -> list[str]:
        """Count a draw; returns an alarm for everything bad that was not known before, mostly nothing."""
        self._observed.add(outcome)
        if not self._due():
            return []
        self._next = 2 * self._observed.draws
        return [self._alarm(one) for one in self.verdict().findings if self._is_new(one)]

    def verdict(self) -> Verdict:
        """On all draws so far."""
        return judge(self._observed, self._template)

    def _due(self) -> bool:
        seen = self._observed
        if self._next is None:
            return seen.draws >= _DRAWS or seen.candidates >= _CANDIDATES
        return seen.draws >= self._next

    def _is_new(self, finding: Finding) -> bool:
        new = finding.level == "bad" and finding.name not in self._told
        if new:
            self._told.add(finding.name)
        return new

    def _alarm(self, finding: Finding) -> str:
        return f"after {self._observed.draws} draws: {finding}"
