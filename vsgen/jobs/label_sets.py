"""Sets of classes for the labels of a run (``--sets``): what they need, and how large they are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from vsgen.errors import OptionError
from vsgen.flows.label import Labels
from vsgen.labels.settings import Label
from vsgen.values import SoftLabel
from vsgen.verdict.share import percent

KEY: Final = "set"
"""What a label's details call it."""
_FEWEST: Final = 2
"""Rows of known class that sets at any level need."""
_SHOWN: Final = 5
"""Different sizes that are listed."""
_USELESS: Final = 0.9
"""Of the rows, whose sets hold every class."""


def require_sets(level: float | None, labels: Sequence[Label], *, calibrated: bool) -> None:
    """See that sets can be made.

    Raises:
        OptionError: They cannot; names the option and the remedy.
    """
    if level is None:
        return
    if not 0 < level < 1:
        raise OptionError(f"--sets: the coverage must be above 0 and below 1, got {level:g}; give one such as 0.9")
    if not calibrated:
        raise OptionError("--sets needs --calibrate GOLD: only rows whose class is known show how large sets must be")
    if several := [one.name for one in labels if one.kind == "multi"]:
        why = f"label {several[0]} is of kind multi, where several classes may be right"
        raise OptionError(f"--sets: {why}; sets are for labels with one right class")


def require_gold(level: float, known: int) -> None:
    """See that there are enough rows of known class.

    Raises:
        OptionError: There are not.
    """
    from vsgen.labels.conformal import fewest  # here: it needs numpy, which a run behind a URL does not load

    if known < fewest(level):
        lower = math.floor(100 * (known - _FEWEST) / (known - 1)) / 100 if known > _FEWEST else 0
        remedy = f"give more, or a lower coverage, such as --sets {lower:g}" if lower else "give more"
        raise OptionError(
            f"--sets {level:g}: needs at least {fewest(level):,} rows of known class, got {known:,}; {remedy}"
        )


class SetSizes:
    """How many classes the sets of each label hold."""

    def __init__(self) -> None:
        """Set up, with nothing counted."""
        self._sizes: dict[str, Counter[int]] = {}
        self._whole: Counter[str] = Counter()

    def add(self, labels: Labels) -> None:
        """Count the sets of a row."""
        for name, made in labels.items():
            held = made.details.get(KEY) if isinstance(made, SoftLabel) else None
            if isinstance(held, list):
                self._sizes.setdefault(name, Counter())[len(held)] += 1
                self._whole[name] += isinstance(made, SoftLabel) and len(held) == len(made.probs)

    def lines(self, level: float | None) -> Iterator[str]:
        """A line for each label."""
        for name, sizes in self._sizes.items():
            whole = self._whole[name] / sizes.total()
            few = "no class" if whole == 1 else "hardly any class"
            useless = f"; they rule out {few}, so they are of no use" if whole >= _USELESS else ""
            yield f"{name}: sets at {level:g} hold {_mean(sizes):.2f} classes on average ({_shares(sizes)}){useless}"


def _mean(sizes: Mapping[int, int]) -> float:
    return sum(size * count for size, count in sizes.items()) / sum(sizes.values())


def _shares(sizes: Counter[int]) -> str:
    found = [f"{size}: {percent(count / sizes.total())}" for size, count in sorted(sizes.items())]
    return f"{', '.join(found[:_SHOWN])}{', ...' if len(found) > _SHOWN else ''}"
