"""Metropolis-Hastings: a chain of replies, each the one before it or one drawn anew from a random token on.

The chain goes block by block (arXiv 2510.14901, algorithm 1): drafts are extended by a block, then moved some steps
under the target p(draft)^alpha over drafts of at most so many tokens. Corrections make the kernel exact where replies
end early: a reply that has ended is a state like any other, of its own length; a proposal may be as long as the blocks
so far allow, and not only as the current draft; the whole suffixes are compared; the cut is drawn from a range that
does not depend on the current draft, and a cut behind its end changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

from vsgen.flow import Flow, ask_all
from vsgen.probability import new_seed
from vsgen.sampling.power.drafts import Draft, redrawn, request
from vsgen.sampling.power.factors import NONE, Potentials
from vsgen.values import Generate


@dataclass(frozen=True, slots=True)
class Plan:
    """How chains go."""

    alpha: float
    chains: int
    """Independent chains, side by side."""
    blocks: int
    steps: int
    """Moves after each block."""
    span: int
    """Cuts are drawn from the first so many tokens; at least 1, and not to be chosen by what the chains are."""
    potentials: Potentials = NONE
    """Of the target."""


@dataclass(frozen=True, slots=True)
class State:
    """One chain."""

    draft: Draft
    proposed: int = 0
    accepted: int = 0
    evaluations: int = 0
    """Tokens drawn."""

    @property
    def acceptance(self) -> float | None:
        """Share of the proposals that were accepted; None if there was none."""
        return self.accepted / self.proposed if self.proposed else None


def init(plan: Plan) -> tuple[State, ...]:
    """Nothing is drawn yet."""
    return (State(Draft()),) * plan.chains


def extend(plan: Plan, asked: Generate, states: Sequence[State], *, end: int, rng: Random) -> Flow[tuple[State, ...]]:
    """Let drafts that can go on grow to `end` tokens."""
    seeds = [new_seed(rng) for _ in states]
    cuts = {i: len(state.draft.tokens) for i, state in enumerate(states) if not state.draft.closed}
    grown = yield from _draw(plan, asked, states, {i: (cut, seeds[i]) for i, cut in cuts.items()}, end)
    return tuple(
        replace(state, draft=grown[i], evaluations=state.evaluations + len(grown[i].tokens) - cuts[i])
        if i in grown
        else state
        for i, state in enumerate(states)
    )


def step(plan: Plan, asked: Generate, states: Sequence[State], *, end: int, rng: Random) -> Flow[tuple[State, ...]]:
    """Move every chain once; leaves the target over drafts of at most `end` tokens as it is.

    Args:
        plan: Its alpha and span.
        asked: What is asked, at temperature 1/alpha; drafts of `max_tokens` are whole.
        states: The chains.
        end: The longest draft.
        rng: The source of cuts, seeds and decisions.
    """
    drawn = [(rng.randrange(min(plan.span, end)), new_seed(rng), rng.random()) for _ in states]
    cuts = {i: drawn[i][0] for i, state in enumerate(states) if drawn[i][0] < len(state.draft.tokens)}
    proposed = yield from _draw(plan, asked, states, {i: (cut, drawn[i][1]) for i, cut in cuts.items()}, end)
    return tuple(
        _moved(state, proposed[i], cuts[i], drawn[i][2], plan.alpha) if i in proposed else state
        for i, state in enumerate(states)
    )


def chains(plan: Plan, asked: Generate, rng: Random) -> Flow[tuple[State, ...]]:
    """Run all chains, block by block, to `asked.max_tokens` tokens."""
    states, asked = init(plan), replace(asked, temperature=1 / plan.alpha)
    ends = sorted({-(-asked.max_tokens * block // plan.blocks) for block in range(plan.blocks + 1)})
    for _, end in pairwise(ends):
        states = yield from extend(plan, asked, states, end=end, rng=rng)
        for _ in range(plan.steps):
            states = yield from step(plan, asked, states, end=end, rng=rng)
    return states


def _moved(state: State, proposed: Draft, cut: int, uniform: float, alpha: float) -> State:
    accepted = _accepts(state.draft, proposed, cut, uniform, alpha)
    return State(
        draft=proposed if accepted else state.draft,
        proposed=state.proposed + 1,
        accepted=state.accepted + accepted,
        evaluations=state.evaluations + len(proposed.tokens) - cut,
    )


def _accepts(draft: Draft, proposed: Draft, cut: int, uniform: float, alpha: float) -> bool:
    """Whether a chain moves; one that is nowhere possible goes on until it is."""
    log_ratio = 0.0 if draft.impossible else proposed.log_weight(alpha, cut) - draft.log_weight(alpha, cut)
    return uniform < math.exp(min(0.0, log_ratio))


def _draw(
    plan: Plan, asked: Generate, states: Sequence[State], cuts: Mapping[int, tuple[int, int]], end: int
) -> Flow[dict[int, Draft]]:
    """Draw some chains' drafts anew from their cuts on, each with its seed."""
    calls = {i: request(asked, states[i].draft, seed, cut=cut, end=end) for i, (cut, seed) in cuts.items()}
    replies = yield from ask_all(list(calls.values()))
    drafts = [redrawn(states[i].draft, call, reply) for (i, call), reply in zip(calls.items(), replies, strict=True)]
    found = yield from plan.potentials.factored(drafts, last=end >= asked.max_tokens)
    return dict(zip(calls, found, strict=True))
