"""Calibration figures as lines of plain text."""

from __future__ import annotations

from collections.abc import Sequence

from vsgen.metrics.calibration import BINS, Estimate
from vsgen.report.measured import Measured, known_rows


def calibration_table(name: str, columns: Sequence[Measured]) -> list[str]:
    """A line for each figure and a column for each set of probabilities, below a header, aligned.

    Means have their standard errors. An infinite log loss is explained in a further line.

    Args:
        name: Of the label.
        columns: Of the same rows, at least one.
    """
    first = columns[0]
    header = f"{name}: {known_rows(first.quality)}"
    cells = [(header, *(one.name for one in columns)), *_figures(columns)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_line(row, widths) for row in cells]
    floor = f"  the class prior has a log loss of {first.prior_loss:.4f}; skill is what the labels gain on it"
    return [*lines, floor, *(_explained(name, one) for one in columns if one.quality.impossible)]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """The title on the left, figures on the right of their columns."""
    title, *rest = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join([cells[0].ljust(len(title)), *rest]).rstrip()


def _figures(columns: Sequence[Measured]) -> list[tuple[str, ...]]:
    rows = [
        ("  accuracy", *(_mean(one.quality.accuracy) for one in columns)),
        ("  log loss, nats", *(_mean(one.quality.log_loss) for one in columns)),
        ("  skill", *(_mean(one.skill) for one in columns)),
        ("  Brier score", *(_mean(one.quality.brier) for one in columns)),
        ("  smooth calibration error", *(f"{one.quality.smooth:.4f}" for one in columns)),
    ]
    if any(one.unnormalised is not None for one in columns):
        rows.append(
            (
                "    of P(class and reply)",
                *("" if (raw := one.unnormalised) is None else f"{raw:.4f}" for one in columns),
            )
        )
    return [*rows, (f"  ECE, {BINS} bins", *(f"{one.quality.ece:.4f}" for one in columns))]


def _mean(one: Estimate) -> str:
    return f"{one.value:.4f}" + ("" if one.error is None else f" ± {one.error:.4f}")


def _explained(name: str, one: Measured) -> str:
    count = one.quality.impossible
    rows = "1 row gives its" if count == 1 else f"{count} rows give their"
    which = f"{name} {one.name}".strip()
    return f"{which}: {rows} right class probability 0, so the log loss is infinite"
