"""Calibration figures as lines of plain text."""

from __future__ import annotations

from collections.abc import Sequence

from vsgen.metrics.calibration import Estimate, Quality

_HEADER = ("", "n", "accuracy", "log loss, nats", "Brier", "ECE")


def calibration_table(rows: Sequence[tuple[str, Quality]]) -> list[str]:
    """One line per set of probabilities below a header, aligned; means with their standard errors.

    An infinite log loss is explained in a further line.

    Args:
        rows: Names, such as ``category before``, and figures.
    """
    cells = [_HEADER, *((name, *_figures(one)) for name, one in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join([name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))])
        for name, *rest in cells
    ]
    return [*lines, *(_explained(name, one) for name, one in rows if one.impossible)]


def _figures(one: Quality) -> tuple[str, ...]:
    return str(one.n), _mean(one.accuracy), _mean(one.log_loss), _mean(one.brier), f"{one.ece:.4f}"


def _mean(one: Estimate) -> str:
    return f"{one.value:.4f}" + ("" if one.error is None else f" ± {one.error:.4f}")


def _explained(name: str, one: Quality) -> str:
    rows = "1 row gives its" if one.impossible == 1 else f"{one.impossible} rows give their"
    return f"{name}: {rows} right class probability 0, so the log loss is infinite".removeprefix(": ")
