"""Which classes are taken for which, as lines of plain text of 80 columns.

Gold that is a distribution counts in its shares. The likeliest class is the first of equals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vsgen.metrics.calibration import Rows

_WIDTH: Final = 80
_NAME: Final = 20
"""Columns of a class's name at the beginning of a line, at most."""
_CELL: Final = 4
"""Columns of a class's name above its column, at least."""
_SHOWN: Final = 10
"""Pairs of classes that are listed where the whole table is too wide."""
_SIDES: Final = ("true, said", "missed", "false, said", "rightly not")

_Floats: TypeAlias = NDArray[np.float64]


def confusion(rows: Rows, gold: Rows) -> _Floats:
    """[K, K]: how many rows of each true class have each class as their likeliest.

    Args:
        rows: Distributions over the same K classes; at least one.
        gold: As many, likewise.
    """
    counts = np.zeros((len(gold[0]), len(gold[0])))
    for row, right in zip(rows, gold, strict=True):
        counts[:, int(np.argmax(row))] += right
    return counts


def confusion_table(classes: Sequence[str], rows: Rows, gold: Rows) -> list[str]:
    """The matrix, or its largest errors where it does not fit.

    Args:
        classes: Names, in the order of the distributions.
        rows: As for `confusion`.
        gold: As for `confusion`.
    """
    counts = confusion(rows, gold)
    shown = _shown(counts)
    first = min(_NAME, max(map(len, classes)))
    least = max(_CELL, *(len(cell) for line in shown for cell in line))
    room = (_WIDTH - 4 - first) // len(classes) - 2
    if room < least:
        return _worst(classes, counts)
    width = max(least, min(room, max(map(len, classes))))
    header = " " * (4 + first) + "".join(f"  {_cut(name, width):>{width}}" for name in classes)
    lines = [
        f"    {_cut(name, first):<{first}}{''.join(f'  {cell:>{width}}' for cell in line)}"
        for name, line in zip(classes, shown, strict=True)
    ]
    return ["  true class (lines) and likeliest class (columns):", header, *lines]


def yes_or_no_table(classes: Sequence[str], rows: Sequence[Rows], gold: Sequence[Rows]) -> list[str]:
    """A line for each class where several may apply.

    Args:
        classes: Names.
        rows: For each class, (yes, no) of each row.
        gold: For each class, likewise.
    """
    first = min(_NAME, max(map(len, classes)))
    lines = ["  " + " " * (2 + first) + "".join(f"  {side:>12}" for side in _SIDES)]
    for name, answers, right in zip(classes, rows, gold, strict=True):
        counts = confusion(answers, right)
        cells = _shown(np.array([[counts[0, 0], counts[0, 1], counts[1, 0], counts[1, 1]]]))[0]
        lines.append(f"    {_cut(name, first):<{first}}{''.join(f'  {cell:>12}' for cell in cells)}")
    return lines


def _worst(classes: Sequence[str], counts: _Floats) -> list[str]:
    """The pairs of classes that are confused most."""
    pairs = [(counts[i, j], i, j) for i in range(len(classes)) for j in range(len(classes)) if i != j and counts[i, j]]
    pairs.sort(key=lambda pair: (-pair[0], *pair[1:]))
    shown = _shown(np.array([[count for count, *_ in pairs[:_SHOWN]]]))[0] if pairs else []
    lines = [
        f"    {cell:>6}  {_cut(classes[i], 30)} -> {_cut(classes[j], 30)}"
        for cell, (_, i, j) in zip(shown, pairs, strict=False)
    ]
    more = f", the largest of {len(pairs)}" if len(pairs) > _SHOWN else ""
    return [f"  true class -> likeliest class{more}:", *lines] if lines else ["  no class is taken for another"]


def _shown(counts: _Floats) -> list[list[str]]:
    """Whole numbers as such, else one decimal everywhere."""
    digits = 0 if np.allclose(counts, np.round(counts), atol=1e-6) else 1
    return [[f"{cell:,.{digits}f}" for cell in line] for line in counts.tolist()]


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 1] + "…"
