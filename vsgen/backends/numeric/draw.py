"""The token draw in numpy: temperature, top-k, top-p, min-p, then inverse CDF from one uniform number per row.

The same order and the same ties as `vsgen.backends.hf.draw`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vsgen.backends.decoding.forward import Drawn
from vsgen.values import Generate

Array: TypeAlias = NDArray[np.float64]
_ALL = 2**62
"""A top-k that no vocabulary reaches."""
_LEAST = -87.0
"""Log-weights from here down, relative to the highest, count as nothing, as in `vsgen.backends.hf.draw`."""


class Knobs(NamedTuple):
    """How each running row is drawn; columns of shape [rows, 1], None where no row asks for it."""

    temperature: Array | None
    greedy: NDArray[np.bool_] | None
    top_k: NDArray[np.int64] | None
    top_p: Array | None
    min_p: Array | None

    @property
    def plain(self) -> bool:
        """Every row is drawn from the model's own distribution."""
        return all(knob is None for knob in self)


def knobs(calls: Sequence[Generate]) -> Knobs:
    """Gather the settings of the running calls."""

    def column(values: Sequence[float], neutral: float) -> NDArray | None:  # type: ignore[type-arg]
        return None if all(value == neutral for value in values) else np.array(values)[:, None]

    return Knobs(
        temperature=column([call.temperature or 1.0 for call in calls], 1.0),
        greedy=column([call.temperature == 0 for call in calls], False),
        top_k=column([call.top_k or _ALL for call in calls], _ALL),
        top_p=column([call.top_p for call in calls], 1.0),
        min_p=column([call.min_p for call in calls], 0.0),
    )


def draw(scores: Array, how: Knobs, uniforms: Array, bars: NDArray[np.float32] | None) -> Drawn:
    """Draw one token per row, [rows, vocabulary]."""
    base = scores - scores.max(-1, keepdims=True)
    mass = np.exp(base)
    shaped = base if how.plain and bars is None else _shape(base, how, bars)
    weights = mass if shaped is base else np.exp(np.where(shaped > _LEAST, shaped, -np.inf))
    tokens = _invert(weights, uniforms)
    if how.greedy is not None:
        tokens = np.where(how.greedy[:, 0], shaped.argmax(-1), tokens)
    logp = _log_share(base, mass, tokens)
    logq = logp if shaped is base else _log_share(shaped, weights, tokens)
    if how.greedy is not None:
        logq = np.where(how.greedy[:, 0], 0.0, logq)
    return Drawn(tokens.tolist(), logp.tolist(), logq.tolist())


def own_logp(scores: Array, tokens: NDArray[np.int64]) -> list[float]:
    """The model's own log-probability of one given token per row, nats."""
    base = scores - scores.max(-1, keepdims=True)
    found: list[float] = _log_share(base, np.exp(base), tokens).tolist()
    return found


def _shape(base: Array, how: Knobs, bars: NDArray[np.float32] | None) -> Array:
    """Log-weights after the grammar and the filters, highest 0; -inf where a token is cut."""
    shaped = base if bars is None else base + bars
    if how.temperature is not None:
        shaped = shaped / how.temperature
    if how.top_k is not None:
        wanted = np.minimum(how.top_k, shaped.shape[-1])
        low = np.take_along_axis(np.sort(shaped)[:, ::-1], wanted - 1, -1)
        shaped = np.where(shaped < low, -np.inf, shaped)
    if how.top_p is not None:
        shaped = _keep_top_p(shaped, how.top_p)
    if how.min_p is not None:
        low = shaped.max(-1, keepdims=True) + np.log(how.min_p)
        shaped = np.where(shaped < low, -np.inf, shaped)
    highest: Array = shaped.max(-1, keepdims=True)
    return shaped - highest


def _keep_top_p(shaped: Array, top_p: Array) -> Array:
    """The smallest set of the likeliest tokens whose probabilities sum to top_p or more."""
    probs = np.exp(shaped - shaped.max(-1, keepdims=True))
    probs /= probs.sum(-1, keepdims=True)
    ranked = np.sort(probs)[:, ::-1]
    kept = ((ranked.cumsum(-1) - ranked) < top_p).sum(-1, keepdims=True)
    low = np.take_along_axis(ranked, np.maximum(kept, 1) - 1, -1)
    return np.where((probs < low) & (top_p < 1), -np.inf, shaped)


def _invert(weights: Array, uniforms: Array) -> NDArray[np.int64]:
    """The first token at which the cumulated weight passes the uniform share of the total."""
    cumulated = weights.cumsum(-1)
    total = cumulated[:, -1]
    # A product that rounds up to the total itself would pass the last token; the bound is for weights that are NaN.
    aim = np.minimum(uniforms * total, np.nextafter(total, 0))
    found = [row.searchsorted(one, "right") for row, one in zip(cumulated, aim, strict=True)]
    return np.array(found).clip(max=weights.shape[-1] - 1)


def _log_share(scores: Array, weights: Array, tokens: NDArray[np.int64]) -> Array:
    share: Array = scores[np.arange(len(tokens)), tokens] - np.log(weights.sum(-1))
    return share
