"""Stated probabilities: from what a model wrote to a number, and from the numbers of a reply to weights."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from vsgen.sampling.replies.items import IMPOSSIBLE_PROBABILITY, PERCENT
from vsgen.sampling.replies.lazy import pattern

_NUMBER: Final = r"[-+]?(?:\d{1,40}(?:[.,]\d{0,40})?|\.\d{1,40})(?:[eE][-+]?\d{1,4})?"
_HEDGE: Final = r"(?:about|approx(?:imately|\.)?|around|circa|ca\.|roughly|p\s{0,3}=|~|≈|=)?"
_STATED: Final = pattern(
    rf"{_HEDGE}\s{{0,3}}(?P<number>{_NUMBER})(?:\s{{0,3}}(?P<percent>%|percent)|\s{{0,3}}/\s{{0,3}}(?P<over>\d{{1,9}}))?",
    re.IGNORECASE,
)
_LONGEST: Final = 120
_PERCENT_SUM: Final = (90.0, 110.0)


def probabilities(stated: Sequence[object]) -> list[tuple[float | None, str | None]]:
    """Read the numbers of one reply: for each its probability and a flag; ``(None, None)`` where none is stated.

    Numbers, and strings that hold one number ("0.3", "about 0.3", "1/4", "30%"), count; words, bounds, ranges,
    booleans, NaN and anything outside [0, 1] are impossible. "30%" is 0.3 wherever it stands. Bare numbers are read
    as percentages only together: if every bare number of the reply is 0 or in [1, 100], at least one is above 1, and
    their sum is within 90..110. Otherwise a number above 1 is impossible; it is never clipped.
    """
    read = [_read(value) for value in stated]
    bare = [number for number, percent in read if number is not None and not percent]
    divisor = 100.0 if _percentages(bare) else 1.0
    return [_verdict(value, *pair, divisor) for value, pair in zip(stated, read, strict=True)]


def weigh(stated: Sequence[float | None]) -> tuple[float, ...]:
    """The weights of all responses of a reply, also of those that are lost, by what they state; they sum to 1.

    Stated probabilities keep their proportions. Responses without one share evenly what the stated ones leave of 1
    (nothing, if those sum to 1 or more). Then all is normalised; if nothing is above zero, the weights are equal.
    """
    missing = stated.count(None)
    left = max(0.0, 1.0 - math.fsum(p for p in stated if p is not None))
    raw = [left / missing if p is None else p for p in stated]
    total = math.fsum(raw)
    if total <= 0.0:
        return tuple(1.0 / len(raw) for _ in raw)
    return tuple(weight / total for weight in raw)


def _read(value: object) -> tuple[float | None, bool]:
    """The number that is stated, if one is, and whether it is explicitly in percent."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _float(value), False
    if isinstance(value, str) and len(value) <= _LONGEST:
        return _read_text(value)
    return None, False


def _float(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _read_text(text: str) -> tuple[float | None, bool]:
    found = _STATED.fullmatch(text.strip())
    if found is None:
        return None, False
    number = float(found["number"].replace(",", "."))
    if found["percent"]:
        return number / 100.0, True
    if not found["over"]:
        return _float(number), False
    over = int(found["over"])
    return (number / over, False) if over else (None, False)


def _percentages(bare: Sequence[float]) -> bool:
    low, high = _PERCENT_SUM
    in_range = all(number == 0.0 or 1.0 <= number <= 100.0 for number in bare)
    return in_range and any(number > 1.0 for number in bare) and low <= math.fsum(bare) <= high


def _verdict(value: object, number: float | None, percent: bool, divisor: float) -> tuple[float | None, str | None]:
    if value is None:
        return None, None
    if number is None:
        return None, IMPOSSIBLE_PROBABILITY
    probability = number if percent else number / divisor
    if not 0.0 <= probability <= 1.0:
        return None, IMPOSSIBLE_PROBABILITY
    return probability + 0.0, PERCENT if percent or divisor > 1.0 else None
