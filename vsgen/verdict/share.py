"""A share of what was counted, and what it says for certain."""

from __future__ import annotations

from dataclasses import dataclass

from vsgen.metrics.shares import wilson


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """From 0 to 1; 0 of nothing is 0."""
        return self.count / self.of if self.of else 0.0

    @property
    def least(self) -> float:
        """The lower end of Wilson's score interval of one standard error: what is known of the share from so few.

        1 of 1 is at least .5, 2 of 4 at least .28, 20 of 40 at least .42.
        """
        return wilson(self.value, self.of, z=1)[0] if self.count else 0.0

    def surely(self, threshold: float) -> bool:
        """Whether it is above a threshold, as far as so many tell."""
        return self.least > threshold

    def __str__(self) -> str:
        """In percent, and of how many."""
        return f"{percent(self.value)} of {self.of:,}"


def percent(share: float) -> str:
    """A share in percent; only nothing is 0 and only all is 100."""
    rounded = round(100 * share)
    if rounded in (0, 100) and share not in (0.0, 1.0):
        return "< 1%" if share < 0.5 else "> 99%"
    return f"{rounded}%"
