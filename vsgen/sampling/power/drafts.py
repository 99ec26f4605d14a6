"""A reply while it is being made: what the engines extend, cut, weigh and compare.

Whatever the engine, tokens come from the model at temperature 1/alpha, so that each has q(v) = p(v)^alpha / Z_t with
Z_t = sum over v of p(v)^alpha; p^alpha / q of some tokens is then the product of their Z_t, and no more than `logp`
and `logq` is needed of a model. Where a grammar constrains decoding, q says so, and the target is p^alpha over valid
replies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from vsgen.errors import ModelError
from vsgen.values import Completion, Generate


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply so far."""

    tokens: tuple[int, ...] = ()
    logps: tuple[float, ...] = ()
    """Of each token under the model itself, nats; or one sum of all, where the draft will never be cut."""
    logqs: tuple[float, ...] = ()
    """As it was drawn, nats, likewise."""
    text: str = ""
    ended: bool = False
    """The model or a stop string ended it; nothing can follow."""
    full: bool = False
    """The model's context is used up; nothing can follow."""
    factor: float = 0.0
    """Log of the potentials of the reply so far, nats; -inf where it is impossible."""

    @property
    def closed(self) -> bool:
        """Nothing can follow."""
        return self.ended or self.full

    @property
    def impossible(self) -> bool:
        """A potential is 0, of this reply and of all that it may become."""
        return self.factor == -math.inf

    @property
    def logp(self) -> float:
        """Log-probability of the reply so far under the model itself, nats."""
        return math.fsum(self.logps)

    def log_target(self, alpha: float) -> float:
        """Log of what is sampled, p^alpha times the potentials, of the reply so far, nats; not normalized."""
        return alpha * self.logp + self.factor

    def log_weight(self, alpha: float, cut: int = 0) -> float:
        """Log of p^alpha / q of the tokens from the cut on, the product of their Z_t, times the potentials, nats."""
        ratios = (alpha * p - q for p, q in zip(self.logps[cut:], self.logqs[cut:], strict=True))
        return math.fsum(ratios) + self.factor


def request(asked: Generate, draft: Draft, seed: int, *, cut: int, end: int) -> Generate:
    """The call that draws a draft anew from token `cut` on, up to `end` tokens in all."""
    return replace(asked, seed=seed, prefix=draft.tokens[:cut], max_tokens=end - cut, resumable=True)


def redrawn(draft: Draft, call: Generate, reply: Completion) -> Draft:
    """The draft with what a `request` drew.

    Raises:
        ModelError: The model does not say how likely its tokens are.
    """
    if len(reply.logps) != len(reply.tokens) or len(reply.logqs) != len(reply.tokens):
        raise ModelError(_SILENT)
    cut = len(call.prefix)
    return Draft(
        tokens=(*call.prefix, *reply.tokens),
        logps=(*draft.logps[:cut], *reply.logps),
        logqs=(*draft.logqs[:cut], *reply.logqs),
        text=reply.text,
        ended=reply.stopped,
        full=not reply.stopped and len(reply.tokens) < call.max_tokens,
    )


def drawn_at_once(call: Generate, reply: Completion) -> Draft:
    """A whole reply, which will not be cut.

    Raises:
        ModelError: The model does not say how likely the reply is.
    """
    if reply.logp is None or reply.logq is None:
        raise ModelError(_SILENT)
    full = not reply.stopped and len(reply.tokens) < call.max_tokens
    return Draft(reply.tokens, (reply.logp,), (reply.logq,), reply.text, reply.stopped, full)


_SILENT = (
    "the model does not give the probabilities of its tokens, which method power needs; use a model in this "
    "process, or another method"
)
