"""How far a share that was counted may be off (Wilson 1927, J. Am. Stat. Assoc. 22, 209)."""

from __future__ import annotations

import math
from typing import Final

_Z: Final = 1.959964
"""Standard errors of a 95 % interval."""


def wilson(share: float, count: int, z: float = _Z) -> tuple[float, float]:
    """Wilson's interval of a share.

    Args:
        share: From 0 to 1.
        count: Of how many, at least 1.
        z: How many standard errors each way; 95 % by default.
    """
    square = z**2 / count
    middle = (share + square / 2) / (1 + square)
    half = z * math.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)
