"""What a command may take and what one of its units may: how many more units can be started.

Each unit that is started and not finished is reserved the most that it may take, so that calls and tokens never exceed
their budget. What a unit costs at most is estimated from prompts that are known before, and is no less than what units
have cost so far on average: the cost exceeds its budget at most by what is in flight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

from vsgen.jobs.bill import Bill
from vsgen.money import dollars

_NOISE: Final = 1e-9
"""Of a unit, which sums of prices may be off by."""


class Used(NamedTuple):
    """What a command has taken so far, what the journal knew included."""

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0
    units: int = 0
    """In which that was taken."""

    def after(self, calls: int, tokens: int, bill: Bill | None) -> Used:
        """With what another unit took, and all that is paid by then."""
        usd = bill.usd if bill else None
        return Used(self.calls + calls, self.tokens + tokens, usd or 0.0, self.units + 1)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a command may take, and what a unit of it may."""

    calls: int = 0
    """Replies that one unit takes at most."""
    tokens: int = 0
    """Tokens that are drawn in them at most."""
    max_calls: int | None = None
    max_tokens: int | None = None
    usd: float = 0.0
    """What one unit costs at most, as far as that is known before."""
    max_cost: float | None = None
    unit: str = "draw"
    """What a unit is called."""
    replies: str = "replies"
    """What its calls are called."""

    def units(self, used: Used) -> int | None:
        """Units that what is left can bear; None where nothing bounds them."""
        bounds = []
        if self.max_calls is not None and self.calls:
            bounds.append((self.max_calls - used.calls) // self.calls)
        if self.max_tokens is not None and self.tokens:
            bounds.append((self.max_tokens - used.tokens) // self.tokens)
        if self.max_cost is not None and self._each(used):
            bounds.append(self._paid(used))
        return max(0, min(bounds)) if bounds else None

    @property
    def too_small(self) -> str | None:
        """Which budget cannot bear a single unit, and how much would."""
        if self.max_calls is not None and self.calls > self.max_calls:
            most = f"one {self.unit} may take {self.calls} {self.replies}"
            return f"--max-calls {self.max_calls}: {most}; give at least {self.calls}"
        if self.max_tokens is not None and self.tokens > self.max_tokens:
            most = f"one {self.unit} may take {self.tokens} (its replies x {self._longest})"
            return f"--max-tokens {self.max_tokens}: {most}; give at least that, or lower {self._longest}"
        return None

    def spent(self, used: Used) -> str | None:
        """Which budget cannot bear another unit."""
        if self.max_calls is not None and used.calls + self.calls > self.max_calls:
            return self._spent("--max-calls", used.calls, self.max_calls, f"{self.calls}")
        if self.max_tokens is not None and used.tokens + self.tokens > self.max_tokens:
            need = f"{self.tokens} (its replies x {self._longest})"
            return self._spent("--max-tokens", used.tokens, self.max_tokens, need)
        if self.max_cost is not None and self._paid(used) < 1:
            paid = f"${dollars(used.usd)} of ${dollars(self.max_cost)} is used"
            return f"--max-cost: {paid}, and the next {self.unit} may cost ${dollars(self._each(used))}"
        return None

    def _paid(self, used: Used) -> int:
        """Units that what is left of the budget in USD pays, which rounding makes no fewer."""
        left, each = (self.max_cost or 0.0) - used.usd, self._each(used)
        return math.floor(left / each + _NOISE) if each else int(left >= 0)

    def _each(self, used: Used) -> float:
        return max(self.usd, used.usd / used.units if used.units else 0.0)

    @property
    def _longest(self) -> str:
        return "sampling.max_tokens" if self.unit == "draw" else "max_tokens of its labels"

    def _spent(self, option: str, used: int, most: int, need: str) -> str:
        if used >= most:
            return f"{option}: all {most} are used"
        return f"{option}: {used} of {most} are used, and the next {self.unit} may need {need}"
