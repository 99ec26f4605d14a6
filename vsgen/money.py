"""How amounts of money are written."""

from __future__ import annotations

import math


def dollars(usd: float) -> str:
    """An amount for people, without its sign: cents, and of less than a dollar three digits."""
    digits = 2 if usd <= 0 else max(2, 2 - math.floor(math.log10(usd)))
    return f"{usd:.{min(digits, 9)}f}"
