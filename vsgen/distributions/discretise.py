"""From a distribution to the finitely many strings that stand for it, each with its probability.

``linear`` is arXiv 2605.11845's: the multiples of 10^-decimals between two quantiles, thinned out evenly to at most
`Grid.max_bins`; each takes the probability up to half-way to its neighbours, and the outermost take the tails. One
string can then stand for much: of a Cauchy distribution nearly a fifth. ``quantile`` cuts into `Grid.max_bins` parts of
equal probability, and each part's median stands for it. Whole numbers stand for themselves in both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from vsgen.distributions.families import Family, Params
from vsgen.distributions.names import GridKind
from vsgen.errors import OptionError

Floats: TypeAlias = NDArray[np.float64]
_MOST_DECIMALS = 8
"""So that the farthest values still have exactly the digits that they are written with."""
_MOST_BINS = 1_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """How finely, and how far out."""

    kind: GridKind = "linear"
    decimals: int = 5
    max_bins: int = 1001
    q_lo: float = 0.001
    """The lower end, as a quantile; ``linear`` only."""
    q_hi: float = 0.999

    def check(self) -> None:
        """See that it can be used.

        Raises:
            OptionError: It cannot.
        """
        if self.kind not in ("linear", "quantile"):
            raise OptionError(f"--grid: must be linear or quantile, got {self.kind!r}")
        if not 0 <= self.decimals <= _MOST_DECIMALS:
            raise OptionError(f"--decimals: must be from 0 to {_MOST_DECIMALS}, got {self.decimals}")
        if not 2 <= self.max_bins <= _MOST_BINS:
            raise OptionError(f"--max-bins: must be from 2 to {_MOST_BINS:,}, got {self.max_bins}")


class Discrete(NamedTuple):
    """Strings in the order of their numbers, each once, and their probabilities, which sum to 1."""

    values: tuple[str, ...]
    probs: tuple[float, ...]


def discretise(family: Family, params: Params, grid: Grid) -> Discrete:
    """The strings of a distribution.

    Continuous values have exactly `Grid.decimals` decimals, whole numbers none; there is no minus before a zero.
    """
    dist, args = getattr(stats, family.scipy), family.args(params)
    if family.whole:
        return _whole(dist, args, grid)
    ticks, masses = (_linear if grid.kind == "linear" else _quantile)(dist, args, grid)
    kept = np.flatnonzero(np.diff(ticks, prepend=ticks[0] - 1))
    merged = np.add.reduceat(masses, kept)
    unit = 10**grid.decimals
    values = tuple(f"{tick / unit:.{grid.decimals}f}" for tick in ticks[kept].tolist())
    return Discrete(values, _shares(merged))


def _linear(dist: Any, args: dict[str, float], grid: Grid) -> tuple[NDArray[np.int64], Floats]:
    """Ticks (multiples of 10^-decimals) and the probability of their cells.

    The tails beyond the two quantiles belong to the outermost ticks.
    """
    low, high = dist.ppf([grid.q_lo, grid.q_hi], **args).tolist()
    step = 10.0**-grid.decimals
    first, last = math.ceil(low / step), math.floor(high / step)
    if first > last:
        return np.array([round((low + high) / 2 / step)]), np.ones(1)
    count = last - first + 1
    if count > grid.max_bins:
        ticks = first + np.linspace(0, count - 1, grid.max_bins, dtype=np.int64)
    else:
        ticks = np.arange(first, last + 1, dtype=np.int64)
    centres = ticks * step
    reached = dist.cdf((centres[:-1] + centres[1:]) / 2, **args)
    return ticks, np.diff(reached, prepend=0.0, append=1.0)


def _quantile(dist: Any, args: dict[str, float], grid: Grid) -> tuple[NDArray[np.int64], Floats]:
    """Ticks nearest to the medians of parts of equal probability; a tick may come several times in a row."""
    medians = dist.ppf((np.arange(grid.max_bins) + 0.5) / grid.max_bins, **args)
    return np.rint(medians * 10.0**grid.decimals).astype(np.int64), np.full(grid.max_bins, 1.0)


def _whole(dist: Any, args: dict[str, float], grid: Grid) -> Discrete:
    """All whole numbers of the support, an infinite end of which is cut at its quantile.

    As in the paper, what lies above counts for the last number, and what lies below a cut counts for none.
    """
    low, high = dist.support(**args)
    first = int(low) if math.isfinite(low) else int(dist.ppf(grid.q_lo, **args))
    last = int(high) if math.isfinite(high) else int(dist.ppf(grid.q_hi, **args))
    last = min(last, first + grid.max_bins - 1)
    numbers = np.arange(first, last + 1)
    masses = dist.pmf(numbers, **args)
    masses[-1] += max(0.0, float(dist.sf(last, **args)))
    return Discrete(tuple(map(str, numbers.tolist())), _shares(masses))


def _shares(masses: Floats) -> tuple[float, ...]:
    clipped = np.maximum(masses, 0.0)
    return tuple((clipped / math.fsum(clipped.tolist())).tolist())
