"""Sequential Monte Carlo: many drafts grow side by side, and those whose futures turn out likely take over.

Particles draw their next tokens at temperature 1/alpha, the proposal without variance of its own (arXiv 2602.10273);
each carries the weight p(draft)^alpha / q(draft), which grows by Z_t = sum over v of p(v | draft)^alpha a token. After
each stretch, where the effective sample size is small, they are resampled. A draft that has ended stays as it is. A
sweep yields one pick, drawn by weight, since its particles share ancestors, and an unbiased estimate of Z.

What a draft weighs so far says little of how it goes on: on real prompts weights differ by e^7 after 16 tokens, which
are uncorrelated with what the next 48 will weigh. Resampling by these weights alone left copies of one draft, and the
pick was worse than one of as many draws that never met. So parents are drawn by tempered weights, and what is left of
the weights stays with the children (`resampling`): the choice is made late, by all that is known then.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from vsgen.flow import Flow, ask_all
from vsgen.probability import effective_size, invert, log_mean_exp, new_seed, softmax
from vsgen.sampling.power.drafts import Draft, redrawn, request
from vsgen.sampling.power.factors import NONE, Potentials
from vsgen.sampling.power.resampling import resample
from vsgen.values import Generate


@dataclass(frozen=True, slots=True)
class Plan:
    """How a sweep goes."""

    alpha: float
    particles: int
    stretch: int
    """Tokens from one look at the weights to the next."""
    ess: float
    """Resample where the effective sample size is below this share of the particles, by tempered weights."""
    potentials: Potentials = NONE
    """Of the target."""


@dataclass(frozen=True, slots=True)
class State:
    """Particles after some stretches."""

    drafts: tuple[Draft, ...]
    logws: tuple[float, ...]
    """log of p(draft)^alpha / q(draft), times the draft's potentials; their log-mean-exp estimates the log of the
    target's sum."""
    ancestors: tuple[int, ...]
    """Which of the first particles each one descends from."""
    length: int = 0
    """Tokens that an open draft has."""

    @property
    def over(self) -> bool:
        """Nothing can follow: every draft is closed, or impossible."""
        return all(draft.closed or draft.impossible for draft in self.drafts)


@dataclass(frozen=True, slots=True)
class Info:
    """What one step did."""

    ess: float
    """Effective sample size before resampling, in particles."""
    resampled: bool
    evaluations: int
    """Tokens drawn."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep comes to."""

    draft: Draft
    log_z: float
    """Estimate of the log of the sum of the target over all replies, nats."""
    ess: float
    """Effective sample size of the weights by which the reply was picked, in particles."""
    ancestors: int
    """How many of the first particles have descendants at the end, or are reserves."""
    evaluations: int


def init(plan: Plan) -> State:
    """Nothing is drawn yet."""
    return State((Draft(),) * plan.particles, (0.0,) * plan.particles, tuple(range(plan.particles)))


def step(plan: Plan, asked: Generate, state: State, rng: Random) -> Flow[tuple[State, Info]]:
    """Extend every open draft by a stretch, weigh, and resample if need be, but for the last stretch.

    `asked.max_tokens` is the limit of the whole reply.
    """
    end = min(state.length + plan.stretch, asked.max_tokens)
    seeds = [new_seed(rng) for _ in state.drafts]
    hot = replace(asked, temperature=1 / plan.alpha)
    calls = {
        i: request(hot, draft, seeds[i], cut=state.length, end=end)
        for i, draft in enumerate(state.drafts)
        if not (draft.closed or draft.impossible)
    }
    replies = yield from ask_all(list(calls.values()))
    drawn = [redrawn(state.drafts[i], call, reply) for (i, call), reply in zip(calls.items(), replies, strict=True)]
    found = yield from plan.potentials.factored(drawn, last=end == asked.max_tokens)
    drafts = list(state.drafts)
    for i, draft in zip(calls, found, strict=True):
        drafts[i] = draft
    logws = [_grown(plan, *each) for each in zip(state.logws, state.drafts, drafts, strict=True)]
    grown = State(tuple(drafts), tuple(logws), state.ancestors, end)
    last = end == asked.max_tokens or grown.over
    ess = effective_size(logws)
    few = not last and ess < plan.ess * len(logws)
    info = Info(ess, few, sum(len(reply.tokens) for reply in replies))
    return (_resampled(grown, plan.ess, rng) if few else grown), info


def sweep(plan: Plan, asked: Generate, rng: Random, reserve: Sequence[Draft] = ()) -> Flow[Sweep]:
    """Grow particles to the end of all their replies, and pick one.

    Args:
        plan: How.
        asked: What is asked.
        rng: The source of seeds and decisions.
        reserve: Whole replies drawn at temperature 1/alpha; one of them may be picked as well, by the same weights.
    """
    state, spent = init(plan), 0
    while state.length < asked.max_tokens and not state.over:
        state, info = yield from step(plan, asked, state, rng)
        spent += info.evaluations
    drafts = [*state.drafts, *reserve]
    logws = [*state.logws, *(draft.log_weight(plan.alpha) for draft in reserve)]
    picked = drafts[invert(softmax(logws), rng.random())]
    ancestors = len(set(state.ancestors)) + len(reserve)
    return Sweep(picked, log_mean_exp(logws), effective_size(logws), ancestors, spent)


def _grown(plan: Plan, logw: float, old: Draft, new: Draft) -> float:
    """The weight of a draft that has grown, or of one that is impossible and stays so."""
    if old.impossible:
        return -math.inf
    return logw + new.log_target(plan.alpha) - old.log_target(plan.alpha) - sum(new.logqs[len(old.logqs) :])


def _resampled(state: State, share: float, rng: Random) -> State:
    offspring = resample(state.logws, share, rng)
    return replace(
        state,
        drafts=tuple(state.drafts[one.parent] for one in offspring),
        logws=tuple(one.logw for one in offspring),
        ancestors=tuple(state.ancestors[one.parent] for one in offspring),
    )
