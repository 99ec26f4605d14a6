"""Whole replies at temperature 1/alpha: with their importance weights, as they are, or the likeliest of several.

With weights p^alpha / q they stand for p^alpha exactly, as long as the effective sample size is good: that is so for
short replies, at the price of plain sampling. As they are, or as best of n by log p, they are baselines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from vsgen.flow import Flow, ask_all
from vsgen.probability import new_seed
from vsgen.sampling.power.drafts import Draft, drawn_at_once
from vsgen.values import Generate


def draws(asked: Generate, alpha: float, count: int, rng: Random) -> Flow[list[Draft]]:
    """Draw independent replies at temperature 1/alpha."""
    hot = replace(asked, temperature=1 / alpha)
    calls = [replace(hot, seed=new_seed(rng)) for _ in range(count)]
    replies = yield from ask_all(calls)
    return [drawn_at_once(call, reply) for call, reply in zip(calls, replies, strict=True)]


def best(drafts: Sequence[Draft]) -> Draft:
    """The likeliest under the model itself; the first of several."""
    return max(drafts, key=lambda draft: draft.logp)
