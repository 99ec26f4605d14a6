"""The token draw: from a step's scores to one token per row, by inverse CDF from one uniform number per row.

The filters follow the usual order: temperature, top-k, top-p, min-p. Each works on what the earlier ones left. Tokens
of equal probability at a threshold are all kept, so that a draw does not depend on how ties are sorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import threshold

from vsgen.values import Generate

_ALL = 2**62
"""A top-k that no vocabulary reaches."""
_LEAST = -87.0
"""Log-weights from here down, relative to the highest, count as nothing: float32 could only say them as subnormal
numbers, with which a CPU is twenty times slower, and low temperatures make them of most of a vocabulary."""
_FEW = (128, 1024)
"""How many of the likeliest tokens are sorted before all are."""
_MARGIN = 1e-9
"""Beyond a sum that passes top_p by so much no later one falls short of it by rounding."""


class Knobs(NamedTuple):
    """How each running row is drawn; columns of shape [rows, 1], None where no row asks for it."""

    temperature: Tensor | None
    greedy: Tensor | None
    top_k: Tensor | None
    top_p: Tensor | None
    min_p: Tensor | None

    @property
    def plain(self) -> bool:
        """Every row is drawn from the model's own distribution."""
        return all(knob is None for knob in self)


class Drawn(NamedTuple):
    """One token per row, and its log-probability in nats, float64: the model's own and as drawn."""

    tokens: Tensor
    logp: Tensor
    logq: Tensor


def knobs(calls: Sequence[Generate], device: torch.device) -> Knobs:
    """Gather the settings of the running calls."""

    def column(values: list[float], neutral: float, dtype: torch.dtype = torch.float64) -> Tensor | None:
        if all(value == neutral for value in values):
            return None
        return torch.tensor(values, dtype=dtype, device=device)[:, None]

    return Knobs(
        temperature=column([call.temperature or 1.0 for call in calls], 1.0),
        greedy=column([call.temperature == 0 for call in calls], False, torch.bool),
        top_k=column([call.top_k or _ALL for call in calls], _ALL, torch.long),
        top_p=column([call.top_p for call in calls], 1.0),
        min_p=column([call.min_p for call in calls], 0.0),
    )


def draw(logits: Tensor, how: Knobs, uniforms: Tensor, bars: Tensor | None = None) -> Drawn:
    """Draw one token per row.

    Args:
        logits: [rows, vocabulary], float32 or float64.
        how: The rows' settings.
        uniforms: [rows], float64, in [0, 1).
        bars: [rows, vocabulary], -inf where a grammar forbids the token, else 0; None allows all.
    """
    base = logits - logits.amax(-1, keepdim=True)
    mass = base.exp()
    if how.plain and bars is None:
        shaped, weights = base, mass
    else:
        shaped = _shape(base, how, bars)
        weights = threshold(shaped, _LEAST, -torch.inf).exp_()
    tokens = _invert(weights, uniforms)
    if how.greedy is not None:
        tokens = torch.where(how.greedy, shaped.argmax(-1, keepdim=True), tokens)
    logp = _log_share(base, mass, tokens)
    logq = logp if shaped is base else _log_share(shaped, weights, tokens)
    if how.greedy is not None:
        logq = logq.masked_fill(how.greedy, 0.0)
    return Drawn(tokens[:, 0], logp[:, 0], logq[:, 0])


def own_logp(logits: Tensor, tokens: Tensor) -> Tensor:
    """The model's own log-probability of one given token per row, nats, float64; [rows]."""
    base = logits - logits.amax(-1, keepdim=True)
    return _log_share(base, base.exp(), tokens[:, None])[:, 0]


def precise(scores: Tensor) -> Tensor:
    """Scores in float32, or in float64 if they are; on the host where the device has no float64."""
    scores = scores.cpu() if scores.device.type == "mps" else scores
    return scores if scores.dtype == torch.float64 else scores.float()


def _shape(base: Tensor, how: Knobs, bars: Tensor | None) -> Tensor:
    """Log-weights after the grammar and the filters, highest 0; -inf where a token is cut."""
    shaped = base if bars is None else base + bars
    if how.temperature is not None:
        shaped = shaped / how.temperature.to(shaped.dtype)
    if bars is None and how.top_k is None and how.top_p is None and how.min_p is None:
        return shaped
    if how.top_k is not None:
        shaped = _keep_top_k(shaped, how.top_k)
    if how.top_p is not None:
        shaped = _keep_top_p(shaped, how.top_p)
    if how.min_p is not None:
        low = shaped.amax(-1, keepdim=True) + how.min_p.to(shaped.dtype).log()
        shaped = torch.where(shaped < low, -torch.inf, shaped)
    return shaped - shaped.amax(-1, keepdim=True)


def _keep_top_k(shaped: Tensor, top_k: Tensor) -> Tensor:
    size = shaped.shape[-1]
    wanted = top_k.clamp(max=size)
    widest = int(torch.where(wanted < size, wanted, 1).max())
    ranked = shaped.topk(widest, dim=-1).values
    low = ranked.gather(-1, (wanted - 1).clamp(max=widest - 1))
    return shaped.masked_fill((shaped < low) & (wanted < size), -torch.inf)


def _keep_top_p(shaped: Tensor, top_p: Tensor) -> Tensor:
    """The smallest set of the likeliest tokens whose probabilities sum to top_p or more."""
    probs = shaped.softmax(-1, dtype=torch.float64)
    return shaped.masked_fill(probs < _least_kept(probs, top_p), -torch.inf)


def _least_kept(probs: Tensor, top_p: Tensor) -> Tensor:
    """The probability of the last token that top_p keeps, 0 where it keeps all; [rows, 1].

    A few of the likeliest mostly reach top_p, so that sorting them does; the others of a row are sorted only if not.
    Sums run from the likeliest on, so a few have the sums that they have among all, bit by bit.
    """
    low = torch.zeros_like(top_p)
    left = torch.nonzero(top_p[:, 0] < 1)[:, 0]
    for size in (*(few for few in _FEW if few < probs.shape[-1]), probs.shape[-1]):
        rest, wanted = (probs, top_p) if len(left) == len(probs) else (probs[left], top_p[left])
        ranked = rest.topk(size, dim=-1).values if size < probs.shape[-1] else rest.sort(-1, descending=True).values
        before = ranked.cumsum(-1) - ranked
        kept = (before < wanted).sum(-1, keepdim=True).clamp(min=1)
        low[left] = ranked.gather(-1, kept - 1)
        left = left[before[:, -1] < wanted[:, 0] + _MARGIN]
        if not len(left):
            break
    return low


def _invert(weights: Tensor, uniforms: Tensor) -> Tensor:
    """The first token at which the cumulated weight passes the uniform share of the total; [rows, 1]."""
    cumulated = weights.cumsum(-1, dtype=torch.float64)
    total = cumulated[:, -1:]
    # A product that rounds up to the total itself would pass the last token; the clamp is for weights that are NaN.
    aim = torch.minimum(uniforms[:, None] * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cumulated, aim, right=True).clamp_(max=weights.shape[-1] - 1)


def _log_share(scores: Tensor, weights: Tensor, tokens: Tensor) -> Tensor:
    chosen = scores.gather(-1, tokens).double()
    return chosen - weights.sum(-1, keepdim=True, dtype=torch.float64).log()
