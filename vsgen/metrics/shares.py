"""How far a share that was counted may be off (Wilson 1927, J. Am. Stat. Assoc. 22, 209)."""

from __future__ import annotations

import math

_Z = 1.959964


def wilson(share: float, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share.

    Args:
        share: From 0 to 1.
        count: Of how many, at least 1.
    """
    square = _Z**2 / count
    middle = (share + square / 2) / (1 + square)
    half = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)
