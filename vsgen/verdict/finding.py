"""One thing found wrong with a run, and the verdict that all of them are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["bad", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was measured, and what to try next."""

    name: str
    """Names the measurement, as in docs/verdict.md."""
    level: Level
    """bad: the rows, or the probabilities in them, are not what was asked for; note: worth knowing."""
    text: str
    """One line with its figures."""
    remedy: str
    """The next command, flag or setting."""

    def __str__(self) -> str:
        """One line."""
        return f"{self.text} -> {self.remedy}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings about a run, the bad ones first."""

    findings: Sequence[Finding]
    figures: Sequence[str]
    """What was measured, in words, good or bad."""

    @property
    def bad(self) -> bool:
        """Whether anything is bad."""
        return any(one.level == "bad" for one in self.findings)

    def lines(self) -> list[str]:
        """For people: what it comes to, then a line each."""
        counts = [self._count("bad", "finding"), self._count("note", "note")]
        rest = ", ".join(filter(None, counts)) or ", ".join(self.figures)
        if not rest:
            return ["verdict: none: no figure judges this output"]
        word = "bad" if self.bad else "good"
        return [f"verdict: {word}: {rest}", *(f"  {one.level}: {one}" for one in self.findings)]

    def summary(self) -> dict[str, object]:
        """For machines; see docs/summary.md."""
        findings = [
            {"name": one.name, "level": one.level, "text": one.text, "remedy": one.remedy} for one in self.findings
        ]
        return {"bad": self.bad, "findings": findings, "figures": list(self.figures)}

    def _count(self, level: Level, noun: str) -> str:
        count = sum(one.level == level for one in self.findings)
        return f"{count} {noun}{'s' * (count > 1)}" if count else ""
