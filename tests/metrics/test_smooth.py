"""The smooth calibration error: it is its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from vsgen.metrics.smooth import error_at_width, smooth_calibration_error


def drawn(n: int, seed: int = 0, *, off: float = 0.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Confidences, and answers that are right less often by `off`."""
    rng = np.random.default_rng(seed)
    sure = rng.uniform(0.4, 1, n)
    return sure, (rng.random(n) < sure - off).astype(np.float64)


def defined(sure: NDArray[np.float64], right: NDArray[np.float64], width: float) -> float:
    """The integral, with the kernel as a sum over reflections."""
    t = (np.arange(20_000) + 0.5) / 20_000
    smoothed = np.zeros_like(t)
    for f, y in zip(sure.tolist(), right.tolist(), strict=True):
        for mirrored in (g + 2 * turn for g in (f, -f) for turn in range(-3, 4)):
            smoothed += (y - f) * np.exp(-(((t - mirrored) / width) ** 2) / 2)
    return float(np.abs(smoothed).mean() / (len(sure) * width * math.sqrt(2 * math.pi)))


@pytest.mark.parametrize("width", [0.01, 0.1, 0.6])
def test_the_error_at_a_width_is_the_integral_of_the_smoothed_residuals(width: float) -> None:
    sure, right = drawn(30)
    assert error_at_width(sure, right, width) == pytest.approx(defined(sure, right, width), abs=1e-5)


@pytest.mark.parametrize("off", [0.0, 0.2])
def test_the_error_is_the_one_at_the_width_that_equals_it(off: float) -> None:
    sure, right = drawn(300, off=off)
    found = smooth_calibration_error(sure, right)
    assert error_at_width(sure, right, found) == pytest.approx(found, abs=1e-5)


def test_the_error_falls_as_the_width_grows() -> None:
    sure, right = drawn(100)
    found = [error_at_width(sure, right, width) for width in (0.003, 0.01, 0.03, 0.1, 0.3, 1)]
    assert found == sorted(found, reverse=True)


def test_relplot_finds_the_same_error() -> None:
    """`relplot.smECE` 1.0.3 of these rows, computed once: it searches ten halvings and pulls in seaborn."""
    assert smooth_calibration_error(*drawn(300)) == pytest.approx(RELPLOT[0], abs=0.002)
    assert smooth_calibration_error(*drawn(300, off=0.2)) == pytest.approx(RELPLOT[1], abs=0.002)


RELPLOT = (0.03360, 0.24746)


def test_a_shift_of_all_confidences_is_the_error_and_none_is_little() -> None:
    assert smooth_calibration_error(*drawn(5_000, off=0.2)) == pytest.approx(0.2, abs=0.03)
    assert smooth_calibration_error(*drawn(5_000)) < 0.03


def test_the_error_of_one_confidence_is_its_distance_from_the_accuracy() -> None:
    assert smooth_calibration_error(np.full(4, 0.75), np.array([1.0, 1, 1, 0])) == pytest.approx(0, abs=1e-12)
    assert smooth_calibration_error(np.ones(3), np.zeros(3)) == pytest.approx(1, abs=1e-6)
