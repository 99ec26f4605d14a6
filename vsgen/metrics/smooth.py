"""The smooth calibration error: how far confidence is from accuracy, without bins.

Błasiok and Nakkiran, arXiv 2309.12236. The residuals y - f of n confidences f, whose answers are right (y = 1) or wrong
(0), are smoothed along [0, 1] by a Gaussian kernel of width σ that is reflected at both ends, and smECE_σ is the
integral of the absolute value:

    smECE_σ = ∫ | 1/n Σ_i K_σ(t, f_i) (y_i - f_i) | dt.

It falls as σ grows; smECE is its value at the one width that equals it (their section 2). It changes little where the
confidences do, and bounds the distance to the nearest calibrated predictor from both sides, within constants.

The reflected kernel is that of heat between walls, K_σ(t, f) = 1 + 2 Σ_k exp(-(πkσ)²/2) cos(πkt) cos(πkf), so the
smoothed residuals are a cosine series, exact but for `_TERMS` and the `_POINTS` of the integral.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

_TERMS: Final = 1000
_NARROWEST: Final = 0.0025
"""The width at which the series has converged at its last term; errors below it are not told apart."""
_POINTS: Final = 2000
_HALVINGS: Final = 20
_BLOCK: Final = 1000
"""Rows whose cosines are in memory at once."""

_Floats: TypeAlias = NDArray[np.float64]


def smooth_calibration_error(confidence: _Floats, right: _Floats) -> float:
    """SmECE, from 0 to 1.

    Args:
        confidence: [N], from 0 to 1; at least one.
        right: [N], 1 where the answer is right and 0 where it is wrong, or the probability that it is right.
    """
    waves = _waves(confidence, right - confidence)
    low, high = _NARROWEST, 1.0
    if (least := _error_at(waves, low)) <= low:
        return least
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _error_at(waves, middle) > middle else (low, middle)
    return _error_at(waves, high)


def error_at_width(confidence: _Floats, right: _Floats, width: float) -> float:
    """SmECE_σ at one width σ of at least 0.0025; see `smooth_calibration_error` for the rest."""
    return _error_at(_waves(confidence, right - confidence), width)


def _waves(places: _Floats, residuals: _Floats) -> _Floats:
    """[1 + _TERMS], the means of residual · cos(πk · place)."""
    orders = np.pi * np.arange(_TERMS + 1)
    total = np.zeros(_TERMS + 1)
    for start in range(0, len(places), _BLOCK):
        part = slice(start, start + _BLOCK)
        total += residuals[part] @ np.cos(np.outer(places[part], orders))
    return total / len(places)


def _error_at(waves: _Floats, width: float) -> float:
    orders = np.arange(len(waves))
    damped = waves * np.exp(-((np.pi * orders * width) ** 2) / 2)
    damped[1:] *= 2
    # The series at the middles of equal steps, by one transform: Σ_k a_k cos(πk (j + 1/2) / M).
    phases = np.zeros(2 * _POINTS, dtype=np.complex128)
    phases[: len(waves)] = damped * np.exp(0.5j * np.pi * orders / _POINTS)
    smoothed = np.fft.ifft(phases)[:_POINTS].real * (2 * _POINTS)
    return float(np.abs(smoothed).mean())
