"""From distributions to strings: nothing lost, nothing twice, every probability that of its cell."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import stats

from vsgen.distributions.discretise import Discrete, Grid, discretise
from vsgen.distributions.families import FAMILIES, Family, Params
from vsgen.distributions.grids import settings
from vsgen.distributions.names import SPLITS
from vsgen.errors import OptionError

SOME = [
    (family, params)
    for family in FAMILIES.values()
    for split in SPLITS
    for params in list(settings(family, split))[::40]
]
GRIDS = [Grid(), Grid(max_bins=64), Grid(decimals=2), Grid("quantile"), Grid("quantile", decimals=1, max_bins=50)]


def frozen(family: Family, params: Params) -> Any:
    return getattr(stats, family.scipy)(**family.args(params))


@pytest.mark.parametrize("grid", GRIDS)
def test_values_are_canonical_and_rise_and_probabilities_sum_to_one(grid: Grid) -> None:
    for family, params in SOME:
        values, probs = discretise(family, params, grid)
        numbers = [float(value) for value in values]
        assert math.fsum(probs) == pytest.approx(1, abs=1e-12)
        assert min(probs) >= 0 and len(values) == len(probs) <= grid.max_bins
        assert all(low < high for low, high in pairwise(numbers))
        digits = 0 if family.whole else grid.decimals
        assert all(value == f"{number + 0.0:.{digits}f}" for value, number in zip(values, numbers, strict=True))
        assert not any(value.startswith("-") and not number for value, number in zip(values, numbers, strict=True))


@pytest.mark.parametrize("grid", [Grid(), Grid(max_bins=64), Grid(decimals=2)])
def test_linear_cells_reach_half_way_to_their_neighbours_and_the_edges_take_the_tails(grid: Grid) -> None:
    for family, params in SOME:
        if family.whole:
            continue
        values, probs = discretise(family, params, grid)
        numbers = np.array([float(value) for value in values])
        edges = [-np.inf, *(numbers[:-1] + numbers[1:]) / 2, np.inf]
        truth = np.diff(frozen(family, params).cdf(edges))
        assert probs == pytest.approx(truth.tolist(), abs=1e-9)


def test_linear_values_are_evenly_spaced_between_the_quantiles() -> None:
    values, _ = discretise(FAMILIES["gaussian"], {"mu": 0.0, "sigma": 1.0}, Grid())
    assert (values[0], values[500], values[-1], len(values)) == ("-3.09023", "0.00000", "3.09023", 1001)
    steps = np.diff([float(value) for value in values])
    assert steps.max() - steps.min() <= 1e-5 + 1e-12


def test_one_string_of_a_linear_cauchy_holds_a_fifth_and_of_a_quantile_one_next_to_nothing() -> None:
    params = {"x0": -2.0, "gamma": 1.0}
    linear, quantile = (discretise(FAMILIES["cauchy"], params, Grid(kind)) for kind in ("linear", "quantile"))
    assert max(linear.probs) == pytest.approx(0.196, abs=0.005)
    assert max(quantile.probs) == pytest.approx(1 / 1001, abs=1e-12)


def test_quantile_values_are_the_medians_of_parts_of_equal_probability() -> None:
    for family, params in SOME:
        if family.whole:
            continue
        values, probs = discretise(family, params, Grid("quantile", decimals=6, max_bins=20))
        assert probs == pytest.approx([1 / 20] * 20)
        at = frozen(family, params).cdf([float(value) for value in values])
        assert at == pytest.approx((np.arange(20) + 0.5) / 20, abs=1e-4)


def test_quantile_values_that_are_written_alike_are_one() -> None:
    values, probs = discretise(FAMILIES["uniform"], {"a": 0.0, "b": 1.0}, Grid("quantile", decimals=1, max_bins=1000))
    assert values == tuple(f"{tenth / 10:.1f}" for tenth in range(11))
    assert probs == pytest.approx([0.05, *[0.1] * 9, 0.05], abs=2e-3)


def test_whole_numbers_are_all_there_and_the_last_takes_what_lies_above() -> None:
    values, probs = discretise(FAMILIES["poisson"], {"lambda": 4.0}, Grid())
    dist = stats.poisson(4.0)
    assert values == tuple(map(str, range(int(dist.ppf(0.999)) + 1)))
    assert probs[:-1] == pytest.approx([dist.pmf(k) for k in range(len(values) - 1)], abs=1e-12)
    assert probs[-1] == pytest.approx(dist.sf(len(values) - 2), abs=1e-12)
    assert discretise(FAMILIES["geometric"], {"p": 0.5}, Grid()).values[0] == "1"
    assert discretise(FAMILIES["hypergeometric"], {"M": 10.0, "K": 8.0, "N": 5.0}, Grid()).values == ("3", "4", "5")


def test_skellam_goes_below_zero_and_loses_less_than_the_quantile_there() -> None:
    values, probs = discretise(FAMILIES["skellam"], {"mu1": 1.0, "mu2": 8.0}, Grid())
    dist = stats.skellam(1.0, 8.0)
    assert int(values[0]) == dist.ppf(0.001) < 0
    truth = np.array([dist.pmf(int(value)) for value in values])
    assert np.abs(np.array(probs) - truth).max() < 0.001


def test_a_range_between_two_grid_points_is_one_value() -> None:
    params = {"a": 0.12, "b": 0.14}
    assert discretise(FAMILIES["uniform"], params, Grid(decimals=0)) == Discrete(("0",), (1.0,))


def test_bounded_families_move_by_no_more_than_a_bin() -> None:
    for family, params in SOME:
        if family.name in {"uniform", "beta", "triangular", "truncnorm"}:
            values, probs = discretise(family, params, Grid(max_bins=101))
            levels = (np.arange(20_000) + 0.5) / 20_000
            truth = frozen(family, params).ppf(levels)
            numbers = np.array([float(value) for value in values])
            ours = numbers[np.minimum(np.searchsorted(np.cumsum(probs), levels), len(numbers) - 1)]
            assert np.abs(ours - truth).mean() <= np.diff(numbers).max()


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        (Grid("log"), "--grid: must be linear or quantile, got 'log'"),  # type: ignore[arg-type]
        (Grid(decimals=-1), "--decimals: must be from 0 to 8, got -1"),
        (Grid(decimals=9), "--decimals: must be from 0 to 8, got 9"),
        (Grid(max_bins=1), "--max-bins: must be from 2 to 1,000,000, got 1"),
    ],
)
def test_a_grid_that_cannot_be_used_is_refused(grid: Grid, said: str) -> None:
    with pytest.raises(OptionError, match=f"^{said}$"):
        grid.check()
