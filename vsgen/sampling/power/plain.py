"""Whole replies at temperature 1/alpha: with their importance weights, as they are, or the likeliest of several.

With weights p^alpha / q they stand for p^alpha exactly, as long as the effective sample size is good: that is so for
short replies, at the price of plain sampling. As they are, or as best of n by log p, they are baselines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from vsgen.flow import Flow, error_of, try_all
from vsgen.probability import new_seed
from vsgen.sampling.power.drafts import Draft, drawn_at_once
from vsgen.values import Generate, Refused


def draws(asked: Generate, alpha: float, count: int, rng: Random) -> Flow[list[Draft | Refused]]:
    """Draw independent replies at temperature 1/alpha; what is refused is in its place."""
    hot = replace(asked, temperature=1 / alpha, resumable=True)  # so that any model states how likely a reply is
    calls = [replace(hot, seed=new_seed(rng)) for _ in range(count)]
    replies = yield from try_all(calls)
    return [
        reply if isinstance(reply, Refused) else drawn_at_once(call, reply)
        for call, reply in zip(calls, replies, strict=True)
    ]


def parted(drawn: Sequence[Draft | Refused], least: int = 1) -> tuple[list[Draft], list[Refused]]:
    """The replies, and what was refused.

    Args:
        drawn: By `draws`.
        least: How many replies there must be to go on with.

    Raises:
        CallError: There are fewer; it is the first refusal.
    """
    drafts = [one for one in drawn if isinstance(one, Draft)]
    refused = [one for one in drawn if isinstance(one, Refused)]
    if refused and len(drafts) < least:
        raise error_of(refused[0])
    return drafts, refused


def best(drafts: Sequence[Draft]) -> Draft:
    """The likeliest under the model itself; the first of several."""
    return max(drafts, key=lambda draft: draft.logp)
