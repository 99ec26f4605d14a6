"""The Metropolis-Hastings kernel is exact: its transition matrix, from the code itself, keeps detailed balance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import pytest

from tests.sampling.power.exact import PROMPT, TABLE, Toy, noise, play, replies, shares, target, twisted, variation
from vsgen.backends.table import TableModel
from vsgen.sampling.power import mh
from vsgen.sampling.power.drafts import Draft
from vsgen.sampling.power.factors import NONE, Potentials
from vsgen.values import Completion, Generate

Tokens = tuple[int, ...]
ENDLESS = TableModel.of(
    "ab",
    {
        (): (0.6, 0.4, 0),
        (0,): (0.5, 0.5, 0),
        (1,): (0.9, 0.1, 0),
        (0, 0): (0.5, 0.5, 0),
        (0, 1): (0.4, 0.6, 0),
        (1, 0): (0.8, 0.2, 0),
        (1, 1): (0.95, 0.05, 0),
    },
    length=9,
)


class Probe(float):
    """A uniform number that accepts whatever it is compared with, and remembers the probability of that."""

    threshold = float("nan")

    def __lt__(self, other: object) -> bool:
        assert isinstance(other, float)
        self.threshold = other
        return True


class Scripted(Random):
    """Draws one given cut."""

    def __init__(self, cut: int) -> None:
        super().__init__(0)
        self.cut = cut
        self.probe = Probe()

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        self.span = start
        return self.cut

    def getrandbits(self, k: int) -> int:
        return 0

    def random(self) -> float:
        return self.probe


@dataclass(frozen=True)
class Case:
    """A model and a kernel over its replies."""

    model: TableModel
    alpha: float
    end: int
    span: int
    stop: tuple[str, ...] = ()
    toy: Toy | None = None
    limit: int = 99
    """Of a whole reply."""

    def __str__(self) -> str:
        return f"{self.model.name} alpha={self.alpha} end={self.end} span={self.span} stop={self.stop}"

    @property
    def asked(self) -> Generate:
        return Generate(PROMPT, seed=0, temperature=1 / self.alpha, max_tokens=self.limit, stop=self.stop)

    @property
    def potentials(self) -> Potentials:
        return Potentials((self.toy,)) if self.toy else NONE

    def states(self) -> dict[Tokens, Draft]:
        """Every reply of at most `end` tokens, as a draft drawn at once."""
        call = replace(self.asked, max_tokens=self.end, resumable=True)
        drafts = [drafted(reply) for reply, _ in replies(self.model, call)]
        found = play(self.potentials.factored(drafts, last=self.end >= self.limit), never)
        return {draft.tokens: draft for draft in found}

    def matrix(self) -> tuple[list[Tokens], np.ndarray]:
        """P(next state | state), by running the step with every cut and every reply."""
        states = self.states()
        names = list(states)
        kernel = np.zeros((len(names), len(names)))
        plan = mh.Plan(self.alpha, chains=1, blocks=1, steps=1, span=self.span, potentials=self.potentials)
        for row, name in enumerate(names):
            span = min(self.span, self.end)
            for cut in range(span):
                for proposal, q, accept in self.moves(plan, states[name], cut):
                    kernel[row, names.index(proposal)] += q * accept / span
                    kernel[row, row] += q * (1 - accept) / span
        return names, kernel

    def moves(self, plan: mh.Plan, draft: Draft, cut: int) -> list[tuple[Tokens, float, float]]:
        """Each proposal, the probability that it is drawn, and the probability that it is accepted."""
        asked: list[Generate] = []
        first = mh.step(plan, self.asked, [mh.State(draft)], end=self.end, rng=Scripted(cut))
        try:
            asked += [call for call in next(first) if isinstance(call, Generate)]  # type: ignore[union-attr]
        except StopIteration as stop:
            ((state,),) = (stop.value,)
            assert state.draft == draft
            return [(draft.tokens, 1.0, 1.0)]
        (call,) = asked
        found = []
        for reply, q in replies(self.model, call):
            rng = Scripted(cut)
            flow = mh.step(plan, self.asked, [mh.State(draft)], end=self.end, rng=rng)
            (state,) = play(flow, lambda _, reply=reply: [reply])  # type: ignore[misc]
            assert rng.span == min(self.span, self.end)
            found.append((state.draft.tokens, q, rng.probe.threshold))
        return found


def drafted(reply: Completion) -> Draft:
    return Draft(reply.tokens, reply.logps, reply.logqs, reply.text, ended=reply.stopped)


def cases() -> list[Case]:
    pair = TableModel.random(8, symbols="ab", length=9, sharpness=1.5)
    return [
        *(Case(TABLE, alpha, 4, span) for alpha in (0.5, 1.0, 2.0, 4.0) for span in (1, 3, 6)),
        *(Case(pair, alpha, 3, 3) for alpha in (2.0, 4.0)),  # some replies end, some are cut at the cap
        *(Case(ENDLESS, alpha, 3, span) for alpha in (2.0, 4.0) for span in (2, 3)),  # nothing ends
        Case(pair, 3.0, 4, 4, stop=("ba",)),
        Case(pair, 3.0, 3, 2, stop=("b", "aa")),
    ]


@pytest.mark.parametrize("case", cases(), ids=str)
def test_kernel_keeps_detailed_balance_with_the_power_law(case: Case) -> None:
    names, kernel = case.matrix()
    assert kernel.sum(axis=1) == pytest.approx(np.ones(len(names)), abs=1e-12)
    law = shares(target(case.model, case.alpha, case.end, case.stop))
    assert set(law) == set(names)
    flow = np.array([law[name] for name in names])[:, None] * kernel
    assert np.abs(flow - flow.T).max() < 1e-12


LONG = Toy(lambda text: 0.1 + text.count("a"), lambda text: 0.5 if "b" in text else 3.0)
NO_B = Toy(lambda text: float("b" not in text), lambda text: float("b" not in text))
"""What holds a b is impossible, and stays so."""


@pytest.mark.parametrize("toy", [LONG, NO_B])
@pytest.mark.parametrize("limit", [4, 9])
@pytest.mark.parametrize("alpha", [pytest.param(1.0, marks=pytest.mark.slow), 2.0])
def test_kernel_keeps_detailed_balance_with_potentials_and_leaves_what_is_impossible(
    alpha: float, limit: int, toy: Toy
) -> None:
    """The target of an earlier block has what potentials say early, that of the last one has them whole."""
    case = Case(TABLE, alpha, 4, 4, toy=toy, limit=limit)
    names, kernel = case.matrix()
    states = case.states()
    law = shares({name: math.exp(state.log_target(alpha)) for name, state in states.items()})
    if limit == 4:
        assert law == pytest.approx(shares(twisted(TABLE, alpha, 4, toy)))
    flow = np.array([law[name] for name in names])[:, None] * kernel
    assert np.abs(flow - flow.T).max() < 1e-12
    at = np.linalg.matrix_power(kernel, 10_000)[-1]
    assert variation(dict(zip(names, at, strict=True)), law) < 1e-6


@pytest.mark.parametrize("case", [case for case in cases() if case.alpha == 4.0], ids=str)
def test_chain_converges_to_the_power_law_and_low_temperature_is_elsewhere(case: Case) -> None:
    names, kernel = case.matrix()
    law = shares(target(case.model, case.alpha, case.end, case.stop))
    call = replace(case.asked, max_tokens=case.end)
    low = {reply.tokens: q for reply, q in replies(case.model, call)}
    assert variation(low, law) > 0.03
    at = np.array([low[name] for name in names])
    distances = [variation(dict(zip(names, at @ np.linalg.matrix_power(kernel, n), strict=True)), law)
                 for n in (0, 1, 10, 100_000)]  # fmt: skip
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 1e-6


def test_a_cut_behind_the_end_asks_nothing_and_changes_nothing() -> None:
    ended = Draft((0, 3), (-1.0, -1.0), (-0.5, -0.5), "a", ended=True)
    plan = mh.Plan(2.0, chains=1, blocks=1, steps=1, span=6)
    flow = mh.step(plan, Generate(PROMPT, seed=0), [mh.State(ended)], end=6, rng=Scripted(2))
    assert play(flow, never) == (mh.State(ended),)


def never(calls: Sequence[Generate]) -> Sequence[Completion]:
    raise AssertionError(f"nothing had to be asked: {calls}")


class Watched:
    """A model that remembers what it was asked."""

    def __init__(self, model: TableModel) -> None:
        self.model = model
        self.batches: list[list[Generate]] = []

    def __call__(self, calls: Sequence[Generate]) -> Sequence[Completion]:
        self.batches.append(list(calls))
        return self.model.generate(calls)


def test_chains_go_on_to_the_last_block_though_all_have_ended() -> None:
    watched = Watched(TableModel.of("ab", {(): (0.5, 0.5, 0.0)}, length=9))  # every reply is one symbol and the end
    asked = Generate(PROMPT, seed=0, max_tokens=8)
    states = play(mh.chains(mh.Plan(2.0, chains=5, blocks=4, steps=6, span=4), asked, Random(0)), watched)
    assert all(state.draft.ended for state in states)
    ends = [len(call.prefix) + call.max_tokens for batch in watched.batches for call in batch]
    assert set(ends) == {2, 4, 6, 8}
    assert 5 * 4 * 6 / 4 < sum(state.proposed for state in states) < 5 * 4 * 6  # a cut of 2 or 3 is behind the end
    assert max(len(batch) for batch in watched.batches) == 5  # chains go side by side


def test_calls_are_drawn_at_temperature_1_over_alpha_without_filters_and_are_resumable() -> None:
    watched = Watched(TABLE)
    play(
        mh.chains(mh.Plan(4.0, chains=2, blocks=2, steps=3, span=4), Generate(PROMPT, seed=0, max_tokens=4), Random(0)),
        watched,
    )
    calls = [call for batch in watched.batches for call in batch]
    assert {(c.temperature, c.top_k, c.top_p, c.min_p, c.resumable) for c in calls} == {(0.25, 0, 1.0, 0.0, True)}
    assert len({call.seed for call in calls}) == len(calls)


def test_alpha_1_accepts_every_proposal() -> None:
    plan = mh.Plan(1.0, chains=30, blocks=2, steps=5, span=4)
    states = play(mh.chains(plan, Generate(PROMPT, seed=0, max_tokens=4), Random(0)), TABLE.generate)
    assert {state.acceptance for state in states} <= {1.0, None}
    assert sum(state.proposed for state in states) > 100


@pytest.mark.slow
@pytest.mark.parametrize(("blocks", "steps"), [(1, 40), (3, 15)])
def test_chains_draw_from_the_power_law(blocks: int, steps: int) -> None:
    law = target(TABLE, 2.0, 4)
    plan = mh.Plan(2.0, chains=2000, blocks=blocks, steps=steps, span=4)
    states = play(mh.chains(plan, Generate(PROMPT, seed=0, max_tokens=4), Random(1)), TABLE.generate)
    counts = Counter(state.draft.tokens for state in states)
    assert variation(counts, law) < noise(law, 2000)


def test_same_seed_same_chains() -> None:
    asked = Generate(PROMPT, seed=0, max_tokens=4)
    plan = mh.Plan(2.0, chains=4, blocks=2, steps=4, span=4)

    def one_by_one(calls: Sequence[Generate]) -> list[Completion]:
        return [TABLE.generate([call])[0] for call in reversed(calls)][::-1]

    assert play(mh.chains(plan, asked, Random(3)), TABLE.generate) == play(
        mh.chains(plan, asked, Random(3)), one_by_one
    )
    assert play(mh.chains(plan, asked, Random(3)), TABLE.generate) != play(
        mh.chains(plan, asked, Random(4)), TABLE.generate
    )
