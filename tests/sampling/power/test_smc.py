"""Sequential Monte Carlo is exact in expectation: all its random choices are enumerated on a toy."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from tests.sampling.power.exact import (
    PROMPT,
    TABLE,
    Choices,
    Fixed,
    Toy,
    enumerated,
    noise,
    outcomes,
    play,
    replies,
    target,
    twisted,
    variation,
)
from vsgen.backends.table import TableModel
from vsgen.flow import together
from vsgen.probability import invert
from vsgen.sampling.power import smc
from vsgen.sampling.power.drafts import Draft, drawn_at_once
from vsgen.sampling.power.factors import Potentials
from vsgen.sampling.power.resampling import resample
from vsgen.values import Completion, Generate

ASKED = Generate(PROMPT, seed=0, max_tokens=4)
PLAN = smc.Plan(alpha=2.0, particles=16, stretch=2, ess=0.5)
TINY = TableModel.random(19, symbols="a", length=9)
"""After two tokens weights differ by a factor of four, so that with an `ess` of 0.9 they are tempered in part."""


def drawn(model: TableModel, calls: Sequence[Generate], choices: Choices) -> list[Completion]:
    """Replies to some calls along a path."""
    found = []
    for call in calls:
        options = list(replies(model, call))
        found.append(options[choices.choose([q for _, q in options])][0])
    return found


@pytest.mark.parametrize(("ess", "kept"), [(0.6, 0), (0.9, 0), (1.0, 0), (0.9, 1)])
def test_estimate_of_z_and_picks_are_unbiased(monkeypatch: pytest.MonkeyPatch, ess: float, kept: int) -> None:
    """E[Z-hat] = Z, and E[Z-hat; x is picked] = p(x)^alpha for every reply x: all random choices are enumerated."""
    plan = replace(PLAN, alpha=3.0, particles=2, stretch=1, ess=ess)
    sure, total, picked = expected(monkeypatch, plan, replace(ASKED, max_tokens=3), kept=kept)
    law = target(TINY, plan.alpha, 3)
    assert sure == pytest.approx(1, abs=1e-12)
    assert total == pytest.approx(math.fsum(law.values()), abs=1e-12)
    assert picked == pytest.approx(law, abs=1e-12)


def expected(
    monkeypatch: pytest.MonkeyPatch, plan: smc.Plan, asked: Generate, model: TableModel = TINY, *, kept: int = 0
) -> tuple[float, float, dict[tuple[int, ...], float]]:
    """The sum of all paths' probabilities, E[Z-hat], and E[Z-hat; x is picked] for every reply x; `kept` in reserve."""
    sure, total, picked = 0.0, 0.0, dict.fromkeys(target(model, plan.alpha, asked.max_tokens), 0.0)

    def run(choices: Choices) -> smc.Sweep:
        def branch(options: Sequence[tuple[Any, float]]) -> Any:
            return options[choices.choose([width for _, width in options])][0]

        def resampled(logws: Sequence[float], share: float, _: Random) -> Any:
            return branch(outcomes(lambda uniform: resample(logws, share, Fixed(uniform))))

        def chosen(shares: Sequence[float], _: float) -> Any:
            return branch(outcomes(lambda uniform: invert(shares, uniform)))

        monkeypatch.setattr(smc, "resample", resampled)
        monkeypatch.setattr(smc, "invert", chosen)
        call = replace(asked, temperature=1 / plan.alpha, resumable=True)
        reserve = [drawn_at_once(call, reply) for reply in drawn(model, [call] * kept, choices)]
        return play(smc.sweep(plan, asked, Fixed(0.5), reserve), lambda calls: drawn(model, calls, choices))

    for sweep, prob in enumerated(run):
        sure += prob
        total += prob * math.exp(sweep.log_z)
        if sweep.log_z > -math.inf:
            picked[sweep.draft.tokens] += prob * math.exp(sweep.log_z)
    return sure, total, picked


UP = Toy(lambda text: 0.1 + text.count("a") ** 2, lambda text: 5.0 if text == "a" else 0.2)
NO_B = Toy(lambda text: float("b" not in text), lambda text: float("b" not in text))
"""What holds a b is impossible, and stays so."""
PAIR = TableModel.random(8, symbols="ab", length=9)


@pytest.mark.parametrize(
    ("model", "end", "toy", "alpha"),
    [
        (TINY, 3, UP, 2.0),
        (PAIR, 2, NO_B, 2.0),
        pytest.param(TINY, 3, UP, 1.0, marks=pytest.mark.slow),
        pytest.param(TINY, 3, replace(UP, guess=lambda _: 1.0), 2.0, marks=pytest.mark.slow),
        pytest.param(PAIR, 2, replace(NO_B, guess=lambda _: 1.0), 2.0, marks=pytest.mark.slow),
        pytest.param(PAIR, 2, UP, 1.0, marks=pytest.mark.slow),
    ],
)
def test_what_potentials_say_early_does_not_change_what_is_estimated_and_picked(
    monkeypatch: pytest.MonkeyPatch, model: TableModel, end: int, toy: Toy, alpha: float
) -> None:
    """E[Z-hat] = Z and E[Z-hat; x is picked] = p(x)^alpha psi(x), and 0 where psi is 0: all choices are enumerated."""
    plan = replace(PLAN, alpha=alpha, particles=2, stretch=1, ess=0.9, potentials=Potentials((toy,)))
    law = twisted(model, alpha, end, toy)
    sure, total, picked = expected(monkeypatch, plan, replace(ASKED, max_tokens=end), model)
    assert sure == pytest.approx(1, abs=1e-12)
    assert total == pytest.approx(math.fsum(law.values()), abs=1e-12)
    assert picked == pytest.approx(law, abs=1e-12)


@pytest.mark.parametrize("early", [0.0, 1.0])
def test_a_sweep_in_which_everything_is_impossible_ends_and_says_so(early: float) -> None:
    never = Potentials((Toy(lambda _: 0.0, lambda _: early),))
    ended = play(smc.sweep(replace(PLAN, potentials=never), ASKED, Random(0)), TABLE.generate)
    assert ended.draft.impossible
    assert (ended.log_z, ended.ess) == (-math.inf, 0)
    assert ended.evaluations <= (2 if not early else 4) * PLAN.particles


@pytest.mark.slow
def test_estimate_of_z_is_unbiased_on_a_larger_toy() -> None:
    """4,000 seeds: within four standard errors, which are below 1 % of Z."""
    plan = replace(PLAN, particles=6, stretch=1, ess=0.9)
    estimates = [math.exp(play(smc.sweep(plan, ASKED, Random(seed)), TABLE.generate).log_z) for seed in range(4000)]
    exact = math.fsum(target(TABLE, 2.0, 4).values())
    mean = math.fsum(estimates) / len(estimates)
    error = math.sqrt(math.fsum((one - mean) ** 2 for one in estimates)) / len(estimates)
    assert error < 0.01 * exact
    assert abs(mean - exact) < 4 * error


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 4.0])
def test_weights_without_resampling_are_p_alpha_over_q(alpha: float) -> None:
    plan = replace(PLAN, alpha=alpha, ess=1e-9, stretch=1)
    state, rng = smc.init(plan), Random(0)
    while state.length < ASKED.max_tokens:
        state, info = play(smc.step(plan, ASKED, state, rng), TABLE.generate)
        assert not info.resampled
    for draft, logw in zip(state.drafts, state.logws, strict=True):
        assert draft.logp == pytest.approx(sum(math.log(p) for p in path(draft.tokens)), abs=1e-12)
        assert logw == pytest.approx(alpha * draft.logp - sum(draft.logqs), abs=1e-12)


def path(tokens: Sequence[int]) -> list[float]:
    """The model's probability of each token."""
    return [TABLE.probs(PROMPT, tuple(tokens[:i]))[token] for i, token in enumerate(tokens)]


@pytest.mark.slow
def test_total_variation_falls_with_the_particles() -> None:
    """The bias of a pick falls as 1 / particles: four times as many must leave less than half of it."""
    law = target(TABLE, 2.0, 4)
    distances = []
    for particles, draws in ((1, 4000), (4, 4000), (16, 3000)):
        plan = replace(PLAN, particles=particles, stretch=1)
        picks = Counter(found(plan, seed) for seed in range(draws))
        distances.append(variation(picks, law))
    low = {reply.tokens: q for reply, q in replies(TABLE, replace(ASKED, temperature=0.5))}
    assert distances[0] == pytest.approx(variation(low, law), abs=noise(law, 4000))  # one particle: low temperature
    assert distances[0] > 5 * noise(law, 4000)  # which the same test tells from the power law
    assert distances[1] < distances[0] / 2
    assert distances[2] < distances[1] / 2


def found(plan: smc.Plan, seed: int) -> tuple[int, ...]:
    """The pick of a sweep."""
    return play(smc.sweep(plan, ASKED, Random(seed)), TABLE.generate).draft.tokens


def test_replies_in_reserve_are_picked_by_the_same_weights() -> None:
    """Of one particle and one reserve, each weighs p^alpha / q; log Z is that of their mean."""
    heavy = Draft((0, TABLE.end), (-0.1, -0.1), (-9.0, -9.0), "a", ended=True)
    plan = replace(PLAN, particles=2)
    for seed in range(20):
        with_it = play(smc.sweep(plan, ASKED, Random(seed), [heavy]), TABLE.generate)
        assert with_it.draft == heavy
        assert with_it.log_z == pytest.approx(heavy.log_weight(2.0) - math.log(3), abs=1e-3)
        assert with_it.ess == pytest.approx(1, abs=1e-3)
        light = play(smc.sweep(plan, ASKED, Random(seed), [replace(heavy, logqs=(9.0, 9.0))]), TABLE.generate)
        alone = play(smc.sweep(plan, ASKED, Random(seed)), TABLE.generate)
        assert (light.draft, light.evaluations) == (alone.draft, alone.evaluations)
        assert light.ancestors == alone.ancestors + 1


def test_alpha_1_is_plain_sampling() -> None:
    plan = replace(PLAN, alpha=1.0, stretch=1, ess=1.0)
    state, rng = smc.init(plan), Random(0)
    while state.length < ASKED.max_tokens:
        state, info = play(smc.step(plan, ASKED, state, rng), TABLE.generate)
        assert not info.resampled
        assert info.ess == pytest.approx(plan.particles)
    assert state.logws == pytest.approx([0.0] * plan.particles, abs=1e-12)


def test_an_ended_draft_is_asked_nothing_more_and_keeps_its_place() -> None:
    asked: list[Generate] = []

    def answer(calls: Sequence[Generate]) -> Sequence[Completion]:
        asked.extend(calls)
        return TABLE.generate(calls)

    plan = replace(PLAN, particles=40, stretch=1, ess=1e-9)
    state, rng = smc.init(plan), Random(1)
    while state.length < ASKED.max_tokens:
        before = state
        state, _ = play(smc.step(plan, ASKED, state, rng), answer)
        for old, new in zip(before.drafts, state.drafts, strict=True):
            assert new.tokens[: len(old.tokens)] == old.tokens
            assert new == old or not old.ended
    assert all(TABLE.end not in call.prefix for call in asked)
    assert {(call.top_k, call.top_p, call.min_p, call.resumable) for call in asked} == {(0, 1.0, 0.0, True)}
    assert len({call.seed for call in asked}) == len(asked)


def test_a_model_whose_context_is_full_closes_a_draft_that_has_not_ended() -> None:
    def cramped(calls: Sequence[Generate]) -> list[Completion]:
        return [full(call) for call in calls]

    def full(call: Generate) -> Completion:
        count = min(call.max_tokens, 3 - len(call.prefix))
        assert count > 0
        return Completion("", (1,) * count, -1.0 * count, -0.5 * count, False, 0, (-1.0,) * count, (-0.5,) * count)

    sweep = play(smc.sweep(replace(PLAN, stretch=2), replace(ASKED, max_tokens=99), Random(0)), cramped)
    assert (sweep.draft.tokens, sweep.draft.ended, sweep.draft.full) == ((1, 1, 1), False, True)


def test_4000_tokens_do_not_underflow() -> None:
    def answer(calls: Sequence[Generate]) -> list[Completion]:
        return [reply(call) for call in calls]

    def reply(call: Generate) -> Completion:
        logps = tuple(-8.0 - (call.seed >> i) % 2 for i in range(call.max_tokens))
        logqs = tuple(-6.0 for _ in logps)
        return Completion("", logps_to_tokens(logps), sum(logps), sum(logqs), False, 0, logps, logqs)

    plan = replace(PLAN, alpha=4.0, stretch=100)
    sweep = play(smc.sweep(plan, replace(ASKED, max_tokens=4000), Random(0)), answer)
    assert len(sweep.draft.tokens) == 4000
    assert sweep.draft.logp < -32_000
    assert -140_000 < sweep.log_z < -90_000
    assert 1 <= sweep.ess <= 16


def logps_to_tokens(logps: Sequence[float]) -> tuple[int, ...]:
    return tuple(int(-logp) for logp in logps)


def test_same_seed_same_sweep_whatever_goes_along() -> None:
    alone = [play(smc.sweep(PLAN, ASKED, Random(seed)), TABLE.generate) for seed in range(5)]
    assert play(together([smc.sweep(PLAN, ASKED, Random(seed)) for seed in range(5)]), TABLE.generate) == alone
    assert len({sweep.log_z for sweep in alone}) > 1
