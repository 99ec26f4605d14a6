"""Which parameters of each family are asked: the numbers of arXiv 2605.11845 (its conf/data/calibrate_sft.yaml).

Locations and widths are evenly spaced, positive shapes and scales geometrically; a grid is the product of its axes. The
prompts show all digits of the numbers. They are made by numpy's formulas but without numpy, whose powers differ in the
last digit from processor to processor: where a processor has AVX-512, numpy's own grids are not the ones here.

``selected`` are the few settings that the paper's own evaluation prints: 24 of them of families that are trained on and
18 of held-out ones. They lie within the ranges of the large grids, but not always on their points.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final, NamedTuple, TypeAlias

from vsgen.distributions.families import Family, Params
from vsgen.distributions.names import Split

Axis: TypeAlias = tuple[float, ...]
Axes: TypeAlias = Mapping[str, Axis]


class Grids(NamedTuple):
    """One family's parameters."""

    train: Axes
    """Empty for a held-out family."""
    test: Axes
    selected: tuple[Params, ...]


def settings(family: Family, split: Split, *, selected: bool = False) -> Iterator[Params]:
    """The parameters of a family in a split, in the grid's order; none if it has no part in the split."""
    grids = GRIDS[family.name]
    axes = grids.train if split == "train" else grids.test
    if split not in ("train", "unseen" if grids.train else "heldout"):
        return
    if selected:
        yield from (family.params(one) for one in grids.selected if split != "train")
    elif axes:
        for point in product(*axes.values()):
            yield family.params(dict(zip(axes, point, strict=True)))


def _of(*values: float) -> Axis:
    return tuple(map(float, values))


def _line(low: float, high: float, points: int) -> Axis:
    step = (high - low) / (points - 1)
    return (*(i * step + low for i in range(points - 1)), float(high))


def _geo(low: float, high: float, points: int) -> Axis:
    exponents = _line(math.log10(low), math.log10(high), points)
    return (float(low), *(math.pow(10.0, exponent) for exponent in exponents[1:-1]), float(high))


def _located(location: str, scale: str) -> Grids:
    """Five families share these ranges."""
    return Grids(
        {location: _line(-2, 2, 11), scale: _geo(0.5, 2, 11)},
        {location: _line(2.5, 4, 6), scale: _geo(2.25, 3.5, 6)},
        ({location: 3.5, scale: 3.0},),
    )


_P: Final = _of(0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8)
GRIDS: Final[Mapping[str, Grids]] = {
    "uniform": Grids(
        {"a": _line(-5, 2, 11), "width": _line(1, 5, 11)},
        {"a": _line(2.5, 4.5, 6), "width": _line(5.5, 8, 6)},
        ({"a": 3.5, "width": 7.0},),
    ),
    "gaussian": _located("mu", "sigma"),
    "beta": Grids(
        {"alpha": _geo(0.5, 5, 11), "beta": _geo(0.5, 5, 11)},
        {"alpha": _geo(5.5, 8, 6), "beta": _geo(5.5, 8, 6)},
        ({"alpha": 7.0, "beta": 7.0},),
    ),
    "binomial": Grids(
        {"n": _of(5, 10, 15, 20), "p": _P},
        {"n": _of(25, 30), "p": _of(0.25, 0.4, 0.5, 0.6, 0.75)},
        ({"n": 25.0, "p": 0.5},),
    ),
    "exponential": Grids({"lambda": _geo(0.5, 5, 25)}, {"lambda": _geo(5.5, 8, 12)}, ({"lambda": 7.0},)),
    "geometric": Grids(
        {"p": _of(0.2, 0.225, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.775, 0.8)},
        {"p": _of(0.05, 0.075, 0.1, 0.125, 0.15, 0.85, 0.875, 0.9, 0.925, 0.95)},
        ({"p": 0.125},),
    ),
    "negative_binomial": Grids(
        {"r": _of(3, 5, 8, 12), "p": _P},
        {"r": _of(15, 20), "p": _of(0.1, 0.15, 0.2, 0.8, 0.85, 0.9)},
        ({"r": 15.0, "p": 0.15},),
    ),
    "lognormal": Grids(
        {"mu": _line(-1, 1.5, 11), "sigma": _geo(0.25, 1.25, 11)},
        {"mu": _line(1.75, 3, 6), "sigma": _geo(1.5, 2.25, 6)},
        ({"mu": 2.5, "sigma": 2.0},),
    ),
    "triangular": Grids(
        {"a": _line(-3, 1, 5), "width": _line(1, 5, 5), "mode_fraction": _of(0.1, 0.3, 0.5, 0.7, 0.9)},
        {"a": _line(1.5, 3.5, 3), "width": _line(5.5, 8, 3), "mode_fraction": _of(0.1, 0.5, 0.9)},
        ({"a": 2.5, "width": 7.0, "mode_fraction": 0.5},),
    ),
    "rayleigh": Grids({"sigma": _geo(0.5, 2, 25)}, {"sigma": _geo(2.25, 3.5, 12)}, ({"sigma": 3.0},)),
    "cauchy": _located("x0", "gamma"),
    "student_t": Grids(
        {"nu": _of(2.5, 2.75, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10)},
        {"nu": _of(10.5, 12, 14, 16, 18, 20)},
        ({"nu": 16.0},),
    ),
    "chi_square": Grids(
        {"nu": _of(2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20)},
        {"nu": _of(21, 24, 28, 32, 36, 40)},
        ({"nu": 32.0},),
    ),
    "f_distribution": Grids(
        {"d1": _of(3, 5, 7, 10), "d2": _of(5, 10, 15, 20)},
        {"d1": _of(12, 15), "d2": _of(24, 30)},
        ({"d1": 12.0, "d2": 24.0},),
    ),
    "gamma": Grids(
        {"alpha": _geo(1, 5, 11), "beta": _geo(1, 5, 11)},
        {"alpha": _geo(5.5, 8, 6), "beta": _geo(5.5, 8, 6)},
        ({"alpha": 7.0, "beta": 7.0},),
    ),
    "laplace": _located("mu", "b"),
    "logistic": _located("mu", "s"),
    "pareto": Grids(
        {"alpha": _of(2, 2.25, 2.5, 2.75, 3, 3.5, 4, 4.5, 5), "xm": _geo(0.5, 2, 11)},
        {"alpha": _of(5.5, 6, 6.5, 7, 8), "xm": _geo(2.5, 4, 6)},
        ({"alpha": 6.5, "xm": 3.5},),
    ),
    "hypergeometric": Grids(
        {"M": _of(30, 50, 80), "N": _of(5, 10, 15), "success_fraction": _of(0.2, 0.35, 0.5, 0.65, 0.8)},
        {"M": _of(100, 120), "N": _of(20, 25), "success_fraction": _of(0.2, 0.5, 0.8)},
        ({"M": 100.0, "N": 20.0, "success_fraction": 0.5},),
    ),
    "gumbel": _located("mu", "beta"),
    "skellam": Grids(
        {"mu1": _geo(1, 8, 11), "mu2": _geo(1, 8, 11)},
        {"mu1": _geo(8.5, 12, 6), "mu2": _geo(8.5, 12, 6)},
        ({"mu1": 10.5, "mu2": 10.5},),
    ),
    "beta_binomial": Grids(
        {"n": _of(10, 20, 30), "alpha": _geo(0.5, 5, 5), "beta": _geo(0.5, 5, 5)},
        {"n": _of(40, 50), "alpha": _geo(5.5, 8, 3), "beta": _geo(5.5, 8, 3)},
        ({"n": 40.0, "alpha": 6.5, "beta": 6.5},),
    ),
    "lomax": Grids(
        {"alpha": _geo(1.5, 4, 11), "lambda": _geo(0.5, 3, 11)},
        {"alpha": _geo(4.5, 7, 6), "lambda": _geo(3.5, 5, 6)},
        ({"alpha": 6.0, "lambda": 4.5},),
    ),
    "inverse_gaussian": Grids(
        {"mu": _geo(0.5, 3, 11), "lambda": _geo(0.5, 5, 11)},
        {"mu": _geo(3.5, 6, 6), "lambda": _geo(5.5, 8, 6)},
        ({"mu": 5.0, "lambda": 7.0},),
    ),
    "bernoulli": Grids({}, {"p": _of(0.1, 0.3, 0.5, 0.7, 0.9)}, ({"p": 0.1}, {"p": 0.5}, {"p": 0.9})),
    "poisson": Grids({}, {"lambda": _geo(1, 12, 17)}, ({"lambda": 1.0}, {"lambda": 4.0}, {"lambda": 12.0})),
    "weibull": Grids(
        {},
        {"k": _geo(0.5, 3, 6), "lambda": _geo(0.5, 3, 6)},
        ({"k": 0.5, "lambda": 0.5}, {"k": 1.5, "lambda": 1.5}, {"k": 3.0, "lambda": 3.0}),
    ),
    "maxwell": Grids(
        {},
        {"scale": _of(0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5)},
        ({"scale": 0.75}, {"scale": 1.5}, {"scale": 2.5}),
    ),
    "chi": Grids({}, {"df": _of(1.5, 2, 3, 4, 5, 7, 10, 14, 20)}, ({"df": 2.0}, {"df": 5.0}, {"df": 10.0})),
    "truncnorm": Grids(
        {},
        {"mu": _of(0, 1), "sigma": _of(1, 1.5), "lower": _of(-2, -1), "upper": _of(1, 2)},
        (
            {"mu": 0.0, "sigma": 1.0, "lower": -1.0, "upper": 1.0},
            {"mu": 0.0, "sigma": 1.0, "lower": -2.0, "upper": 2.0},
            {"mu": 1.0, "sigma": 1.5, "lower": -1.0, "upper": 2.0},
        ),
    ),
}
"""By the family's name."""
