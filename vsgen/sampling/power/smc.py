"""Sequential Monte Carlo: many drafts grow side by side, and those whose futures turn out likely take over.

Particles draw their next tokens at temperature 1/alpha, the proposal without variance of its own (arXiv 2602.10273);
each carries the weight p(draft)^alpha / q(draft), which grows by Z_t = sum over v of p(v | draft)^alpha a token. After
each stretch, where the effective sample size is small, they are resampled. A draft that has ended stays as it is. A
sweep yields one pick, drawn by weight, since its particles share ancestors, and an unbiased estimate of Z.

What a draft weighs so far says little of how it goes on: on real prompts weights differ by e^7 after 16 tokens, which
are uncorrelated with what the next 48 will weigh. Resampling by these weights alone left copies of one draft, and the
pick was worse than one of as many draws that never met. So parents are drawn by tempered weights, and what is left of
the weights stays with the children (`resampling`): the choice is made late, by all that is known then.

Copies of one draft can be told apart again by moves (resample-move, Gilks and Berzuini 2001): after 1, 2, 4, 8, ...
stretches every particle makes some steps of `mh` over drafts of at most the length so far. A step leaves the target of
that length as it is, whatever a particle weighs, so weights stay. That holds only if moves depend neither on the
weights nor on the drafts: they are made at these lengths even if all weights are equal and all drafts have ended.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from vsgen.flow import Flow, ask_all
from vsgen.probability import effective_size, invert, log_mean_exp, new_seed, softmax
from vsgen.sampling.power import mh
from vsgen.sampling.power.drafts import Draft, redrawn, request
from vsgen.sampling.power.factors import NONE, Potentials
from vsgen.sampling.power.lengths import doublings
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
    moves: int = 0
    """Of each particle, each time that particles are moved."""

    def moved(self, limit: int) -> tuple[int, ...]:
        """At which lengths particles are moved, in tokens, where whole replies have at most `limit`."""
        return doublings(self.stretch, limit) if self.moves else ()


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
    proposed: int = 0
    """Proposals of all moves so far."""
    accepted: int = 0
    """Those that were accepted."""

    def over(self, plan: Plan, limit: int) -> bool:
        """Nothing can follow: every draft is closed, and none will be moved, or all are impossible."""
        if any(self.length < end for end in plan.moved(limit)):
            return all(draft.impossible for draft in self.drafts)
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
    acceptance: float | None = None
    """Share of the proposals of moves that were accepted; None if there was none."""


def init(plan: Plan) -> State:
    """Nothing is drawn yet."""
    return State((Draft(),) * plan.particles, (0.0,) * plan.particles, tuple(range(plan.particles)))


def step(plan: Plan, asked: Generate, state: State, rng: Random) -> Flow[tuple[State, Info]]:
    """Extend every open draft by a stretch, weigh, resample if need be, but for the last stretch, and move.

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
    grown = replace(state, drafts=tuple(drafts), logws=tuple(logws), length=end)
    last = end == asked.max_tokens or grown.over(plan, asked.max_tokens)
    ess = effective_size(logws)
    few = not last and ess < plan.ess * len(logws)
    spent = sum(len(reply.tokens) for reply in replies)
    kept = _resampled(grown, plan.ess, rng) if few else grown
    if end in plan.moved(asked.max_tokens):
        kept, own = yield from _rejuvenated(plan, hot, kept, rng)
        spent += own
    return kept, Info(ess, few, spent)


def sweep(plan: Plan, asked: Generate, rng: Random, reserve: Sequence[Draft] = ()) -> Flow[Sweep]:
    """Grow particles to the end of all their replies, and pick one.

    Args:
        plan: How.
        asked: What is asked.
        rng: The source of seeds and decisions.
        reserve: Whole replies drawn at temperature 1/alpha; one of them may be picked as well, by the same weights.
    """
    state, spent = init(plan), 0
    while state.length < asked.max_tokens and not state.over(plan, asked.max_tokens):
        state, info = yield from step(plan, asked, state, rng)
        spent += info.evaluations
    drafts = [*state.drafts, *reserve]
    logws = [*state.logws, *(draft.log_weight(plan.alpha) for draft in reserve)]
    picked = drafts[invert(softmax(logws), rng.random())]
    ancestors = len(set(state.ancestors)) + len(reserve)
    acceptance = state.accepted / state.proposed if state.proposed else None
    return Sweep(picked, log_mean_exp(logws), effective_size(logws), ancestors, spent, acceptance)


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


def _rejuvenated(plan: Plan, hot: Generate, state: State, rng: Random) -> Flow[tuple[State, int]]:
    """The particles after their moves, and the tokens drawn for it; what is impossible weighs nothing, and stays."""
    alive = [i for i, draft in enumerate(state.drafts) if not draft.impossible]
    how = mh.Plan(plan.alpha, len(alive), 1, plan.moves, state.length, plan.potentials)
    chains = tuple(mh.State(state.drafts[i]) for i in alive)
    for _ in range(plan.moves):
        chains = yield from mh.step(how, hot, chains, end=state.length, rng=rng)
    drafts = list(state.drafts)
    for i, chain in zip(alive, chains, strict=True):
        drafts[i] = chain.draft
    proposed = state.proposed + sum(chain.proposed for chain in chains)
    accepted = state.accepted + sum(chain.accepted for chain in chains)
    moved = replace(state, drafts=tuple(drafts), proposed=proposed, accepted=accepted)
    return moved, sum(chain.evaluations for chain in chains)
