"""Sequential Monte Carlo: many drafts grow side by side, and those whose futures turn out likely take over.

Particles draw their next tokens at temperature 1/a, the proposal without variance of its own (arXiv 2602.10273); each
carries the weight p(draft)^a / q(draft), which grows by Z_t = sum over v of p(v | draft)^a a token. Every few tokens,
when the effective sample size is small, they are resampled. A draft that has ended stays as it is. The exponent a rises
from 1 to alpha over the ramp; the target after each stretch is p(draft)^a, and p^alpha after the last one, whatever the
ramp. A sweep yields one pick, drawn by weight, since its particles share ancestors, and an unbiased estimate of Z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from vsgen.flow import Flow, ask_all
from vsgen.probability import effective_size, invert, log_mean_exp, new_seed, softmax
from vsgen.sampling.power.drafts import Draft, redrawn, request
from vsgen.sampling.power.resampling import Scheme, resample
from vsgen.values import Generate


@dataclass(frozen=True, slots=True)
class Plan:
    """How a sweep goes."""

    alpha: float
    particles: int
    stretch: int
    """Tokens from one look at the weights to the next."""
    ramp: float
    """Tokens after which the exponent is alpha; 0 is from the first."""
    ess: float
    """Resample where the effective sample size is below this share of the particles."""
    scheme: Scheme

    def exponent(self, tokens: int) -> float:
        """The exponent of the target for drafts of so many tokens."""
        return self.alpha if tokens >= self.ramp else 1 + (self.alpha - 1) * tokens / self.ramp


@dataclass(frozen=True, slots=True)
class State:
    """Particles after some stretches."""

    drafts: tuple[Draft, ...]
    logws: tuple[float, ...]
    """log of p(draft)^exponent / q(draft); their log-mean-exp estimates the log of the target's sum."""
    exponent: float
    length: int = 0
    """Tokens that an open draft has."""


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
    """Estimate of the log of the sum of p^alpha over all replies, nats."""
    ess: float
    """The smallest effective sample size at any look, in particles."""
    evaluations: int


def init(plan: Plan) -> State:
    """Nothing is drawn yet."""
    return State((Draft(),) * plan.particles, (0.0,) * plan.particles, plan.exponent(0))


def step(plan: Plan, asked: Generate, state: State, rng: Random) -> Flow[tuple[State, Info]]:
    """Extend every open draft by a stretch, weigh, and resample if need be.

    `asked.max_tokens` is the limit of the whole reply. On the last stretch the exponent is alpha, and the weights are
    left as they are.
    """
    end = min(state.length + plan.stretch, asked.max_tokens)
    exponent = plan.exponent(end)
    seeds = [new_seed(rng) for _ in state.drafts]
    hot = replace(asked, temperature=1 / exponent)
    calls = {
        i: request(hot, draft, seeds[i], cut=state.length, end=end)
        for i, draft in enumerate(state.drafts)
        if not draft.closed
    }
    replies = yield from ask_all(list(calls.values()))
    drafts = list(state.drafts)
    for (i, call), reply in zip(calls.items(), replies, strict=True):
        drafts[i] = redrawn(drafts[i], call, reply)
    last = end == asked.max_tokens or all(draft.closed for draft in drafts)
    exponent = plan.alpha if last else exponent
    logws = [
        logw + exponent * new.logp - state.exponent * old.logp - sum(new.logqs[len(old.logqs) :])
        for logw, old, new in zip(state.logws, state.drafts, drafts, strict=True)
    ]
    ess = effective_size(logws)
    few = not last and ess < plan.ess * len(logws)
    grown = State(tuple(drafts), tuple(logws), exponent, end)
    info = Info(ess, few, sum(len(reply.tokens) for reply in replies))
    return (_resampled(grown, plan.scheme, rng) if few else grown), info


def sweep(plan: Plan, asked: Generate, rng: Random) -> Flow[Sweep]:
    """Grow particles to the end of all their replies, and pick one."""
    state, infos = init(plan), list[Info]()
    while state.length < asked.max_tokens and not all(draft.closed for draft in state.drafts):
        state, info = yield from step(plan, asked, state, rng)
        infos.append(info)
    picked = state.drafts[invert(softmax(state.logws), rng.random())]
    evaluations = sum(info.evaluations for info in infos)
    return Sweep(picked, log_mean_exp(state.logws), min(info.ess for info in infos), evaluations)


def _resampled(state: State, scheme: Scheme, rng: Random) -> State:
    offspring: Sequence[tuple[int, float]] = resample(scheme, state.logws, rng)
    drafts = tuple(state.drafts[parent] for parent, _ in offspring)
    return replace(state, drafts=drafts, logws=tuple(logw for _, logw in offspring))
