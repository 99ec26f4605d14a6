"""Moves between stretches leave a sweep exact in expectation: drafts, cuts, proposals and decisions are enumerated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import pytest

from tests.sampling.power.exact import (
    PROMPT,
    Choices,
    Fixed,
    Toy,
    enumerated,
    outcomes,
    play,
    replies,
    target,
    twisted,
)
from vsgen.backends.table import TableModel
from vsgen.probability import effective_size, invert
from vsgen.sampling.power import mh, smc
from vsgen.sampling.power.drafts import Draft
from vsgen.sampling.power.factors import NONE, Potentials
from vsgen.sampling.power.resampling import resample, tempering
from vsgen.values import Completion, Generate

TINY = TableModel.random(8, symbols="a", length=9)
UNEVEN = TableModel.random(19, symbols="a", length=9)
"""Weights after two tokens: replies that have ended by then weigh four times as much, and one in four is such a one."""
PAIR = TableModel.random(8, symbols="ab", length=9)
PLAN = smc.Plan(alpha=3.0, particles=1, stretch=1, ess=0.9, moves=1)
TWO = replace(PLAN, particles=2, stretch=2)
UP = Toy(lambda text: 0.1 + text.count("a") ** 2, lambda text: 5.0 if text == "a" else 0.2)
NO_B = Toy(lambda text: float("b" not in text), lambda text: float("b" not in text))
"""What holds a b is impossible, and stays so."""


class Branching(Random):
    """Cuts and decisions along a path."""

    def __init__(self, choices: Choices) -> None:
        super().__init__(0)
        self._choices = choices

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return self._choices.choose([1 / start] * start)

    def getrandbits(self, k: int) -> int:
        return 0

    def random(self) -> float:
        return Decided(self._choices)


class Decided(float):
    """A uniform number that is below a threshold on one path, and not on another."""

    def __new__(cls, choices: Choices) -> Decided:
        return super().__new__(cls)

    def __init__(self, choices: Choices) -> None:
        self._choices = choices

    def __lt__(self, other: float) -> bool:
        return other >= 1 or (other > 0 and self._choices.choose([other, 1 - other]) == 0)


@cache
def parents(logws: tuple[float, ...], share: float) -> Sequence[tuple[Any, float]]:
    return outcomes(lambda uniform: resample(logws, share, Fixed(uniform)))


@cache
def picks(shares: tuple[float, ...]) -> Sequence[tuple[int, float]]:
    return outcomes(lambda uniform: invert(shares, uniform))


def expected(
    monkeypatch: pytest.MonkeyPatch, plan: smc.Plan, end: int, model: TableModel
) -> tuple[float, dict[tuple[int, ...], float]]:
    """The sum of all paths' probabilities, and E[Z-hat; x is picked] for every reply x of at most `end` tokens."""
    sure, picked = 0.0, dict.fromkeys(target(model, plan.alpha, end), 0.0)
    asked = Generate(PROMPT, seed=0, max_tokens=end)

    def run(choices: Choices) -> smc.Sweep:
        def branch(options: Sequence[tuple[Any, float]]) -> Any:
            return options[choices.choose([width for _, width in options])][0]

        def answered(calls: Sequence[Generate]) -> list[Completion]:
            return [branch(list(replies(model, call))) for call in calls]

        monkeypatch.setattr(smc, "resample", lambda logws, share, _: branch(parents(tuple(logws), share)))
        monkeypatch.setattr(smc, "invert", lambda shares, _: branch(picks(tuple(shares))))
        return play(smc.sweep(plan, asked, Branching(choices)), answered)

    for sweep, prob in enumerated(run):
        sure += prob
        if sweep.log_z > -math.inf:
            picked[sweep.draft.tokens] += prob * math.exp(sweep.log_z)
    return sure, picked


@pytest.mark.parametrize(
    ("model", "end", "toy", "plan"),
    [
        (TINY, 4, None, PLAN),  # drafts that have ended after one token are moved after two
        (TINY, 4, UP, PLAN),
        (PAIR, 2, NO_B, PLAN),
        (TINY, 2, None, replace(PLAN, moves=2)),
        (UNEVEN, 3, None, TWO),
        pytest.param(PAIR, 3, UP, PLAN, marks=pytest.mark.slow),
        pytest.param(UNEVEN, 3, UP, TWO, marks=pytest.mark.slow),
        pytest.param(PAIR, 2, NO_B, replace(PLAN, particles=2), marks=pytest.mark.slow),
    ],
)
def test_estimate_of_z_and_picks_are_unbiased_with_moves(
    monkeypatch: pytest.MonkeyPatch, model: TableModel, end: int, toy: Toy | None, plan: smc.Plan
) -> None:
    """E[Z-hat; x is picked] = p(x)^alpha psi(x) for every reply x, and so E[Z-hat] = Z."""
    plan = replace(plan, potentials=Potentials((toy,)) if toy else NONE)
    sure, picked = expected(monkeypatch, plan, end, model)
    assert sure == pytest.approx(1, abs=1e-12)
    assert picked == pytest.approx(twisted(model, plan.alpha, end, toy or Toy(lambda _: 1.0)), abs=1e-12)


def test_two_particles_are_resampled_by_tempered_weights_where_the_law_is_enumerated() -> None:
    call = Generate(PROMPT, seed=0, temperature=1 / TWO.alpha, max_tokens=2, resumable=True)
    drawn = [draft(reply).log_weight(TWO.alpha) for reply, _ in replies(UNEVEN, call)]
    logws = [min(drawn), max(drawn)]
    assert effective_size(logws) < TWO.ess * 2
    assert 0.1 < tempering(logws, TWO.ess) < 0.9


def draft(reply: Completion) -> Draft:
    return Draft(reply.tokens, reply.logps, reply.logqs, reply.text, ended=reply.stopped)


def always(_draft: Draft, _proposed: Draft, _cut: int, _uniform: float, _alpha: float) -> bool:
    return True


def test_the_law_tells_moves_that_are_always_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mh, "_accepts", always)
    _, picked = expected(monkeypatch, PLAN, 4, TINY)
    assert picked != pytest.approx(target(TINY, PLAN.alpha, 4), abs=1e-3)


def test_the_law_tells_a_sweep_that_stops_where_drafts_have_ended_and_could_be_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(smc.State, "over", lambda state, *_: all(draft.closed for draft in state.drafts))
    _, picked = expected(monkeypatch, PLAN, 4, TINY)
    assert picked != pytest.approx(target(TINY, PLAN.alpha, 4), abs=1e-3)
