"""The reliability diagram: how often the likeliest class is right, against how sure the label was of it.

On the diagonal a label means what it says; below it is too sure of itself, above it not sure enough (Guo et al.,
arXiv 1706.04599, figure 1). A point is a bin of rows, its area their number, and its bar the 95 % interval of its
accuracy (Wilson 1927). Below are the rows by confidence.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vsgen.errors import OptionError, OutputError
from vsgen.extras import require
from vsgen.metrics.calibration import Bin, Quality, Reliability, Rows, quality, reliability
from vsgen.metrics.shares import wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS: Final = (".png", ".svg", ".pdf")
_NO_DATE: Final[dict[str, dict[str, None]]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}
_COLOURS: Final = ("#D55E00", "#0072B2", "#009E73", "#CC79A7")
"""Of Okabe and Ito, which colour-blind readers tell apart."""
_MARKERS: Final = ("o", "s", "^", "D")
_COLUMNS: Final = 3


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a diagram."""

    label: str
    """The label's name: curves of one label, which follow each other, share a diagram."""
    state: str
    """What the legend calls it, such as before and after."""
    bins: Reliability
    quality: Quality


def curve(label: str, state: str, probs: Rows, gold: Rows) -> Curve:
    """Measure a set of probabilities; see `vsgen.metrics.calibration.quality` for the arguments."""
    return Curve(label, state, reliability(probs, gold), quality(probs, gold))


def ensure_drawable(path: Path) -> None:
    """See to it, before anything costly is done, that a plot can be drawn into a file of this name.

    Raises:
        OptionError: The name has another ending, or matplotlib is missing.
    """
    if path.suffix.lower() not in ENDINGS:
        raise OptionError(f"{path}: a plot's file must end in {', '.join(ENDINGS)}, got {path.suffix or 'no ending'!r}")
    require("plots", where=str(path), use="a plot")


def save_reliability(path: Path, curves: Sequence[Curve]) -> None:
    """Draw the diagrams, one per label, into a file; the same curves give the same bytes.

    Args:
        path: Its ending names the format: .png, .svg or .pdf. An existing file is written over.
        curves: At least one; see `Curve`.

    Raises:
        OptionError: See `ensure_drawable`.
        OutputError: The file cannot be written.
    """
    ensure_drawable(path)
    drawn = _rendered(curves, path.suffix.lower())
    try:
        path.write_bytes(drawn)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; the plot was not written") from error


def _rendered(curves: Sequence[Curve], ending: str) -> bytes:
    from matplotlib import rc_context

    target = BytesIO()
    with rc_context({"svg.hashsalt": "vsgen", "font.size": 11}), warnings.catch_warnings():
        # A label in a script that the font lacks is drawn as boxes; that is no reason to stop.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        _figure(curves).savefig(target, format=ending[1:], dpi=150, metadata=_NO_DATE[ending])
    return target.getvalue()


def _figure(curves: Sequence[Curve]) -> Figure:
    from matplotlib.figure import Figure

    labels = [(label, list(group)) for label, group in groupby(curves, lambda one: one.label)]
    columns = min(_COLUMNS, len(labels))
    rows = math.ceil(len(labels) / columns)
    figure = Figure(figsize=(5.4 * columns, 7.6 * rows), layout="constrained")
    parts = figure.subfigures(rows, columns, squeeze=False).flat
    for part, (label, mine) in zip(parts, labels, strict=False):
        upper, lower = part.subplots(2, 1, sharex=True, height_ratios=(3.4, 1))
        part.suptitle(label, fontsize=14, fontweight="bold", parse_math=False)
        _draw_accuracy(upper, mine)
        _draw_counts(lower, mine)
    return figure


def _draw_accuracy(axes: Axes, curves: Sequence[Curve]) -> None:
    axes.plot((0, 1), (0, 1), color="0.55", linestyle="--", linewidth=1, zorder=1)
    for at, one in enumerate(curves):
        colour, marker = _COLOURS[at % len(_COLOURS)], _MARKERS[at % len(_MARKERS)]
        x = [found.confidence for found in one.bins.bins]
        y = [found.accuracy for found in one.bins.bins]
        areas = [25 + 300 * found.count / one.bins.n for found in one.bins.bins]
        axes.vlines(x, *zip(*map(_interval, one.bins.bins), strict=True), color=colour, alpha=0.35, linewidth=1.5)
        axes.plot(x, y, color=colour, alpha=0.4, linewidth=1, zorder=3)
        axes.scatter(x, y, areas, color=colour, marker=marker, alpha=0.8, edgecolors="white", zorder=4, clip_on=False)
        axes.plot([], [], color=colour, marker=marker, markersize=7, label=_caption(one))
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.02), ylabel="accuracy, with 95% intervals")
    axes.grid(color="0.9")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=10, borderaxespad=0.2)


def _draw_counts(axes: Axes, curves: Sequence[Curve]) -> None:
    """Bars of a bin stand side by side."""
    for at, one in enumerate(curves):
        widths = [(found.upper - found.lower) / len(curves) for found in one.bins.bins]
        lefts = [found.lower + at * width for found, width in zip(one.bins.bins, widths, strict=True)]
        counts = [found.count for found in one.bins.bins]
        axes.bar(lefts, counts, widths, align="edge", color=_COLOURS[at % len(_COLOURS)], edgecolor="white")
    axes.set(xlabel="confidence: probability of the likeliest class", ylabel="rows")
    axes.locator_params(axis="y", integer=True, nbins=4)
    axes.grid(axis="y", color="0.9")
    axes.set_axisbelow(True)


def _caption(one: Curve) -> str:
    found = one.quality
    return f"{one.state}: ECE {found.ece:.3f}, Brier {found.brier.value:.3f}, log loss {found.log_loss.value:.3f}"


def _interval(one: Bin) -> tuple[float, float]:
    """Wilson's 95 % interval of a bin's accuracy."""
    return wilson(one.accuracy, one.count)
