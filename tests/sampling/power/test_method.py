"""Method power: what is asked, what each engine says of a candidate, and how candidates weigh."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import get_args

import pytest

from tests.sampling.power.exact import play, target
from vsgen.backends.table import TableModel
from vsgen.errors import ModelError
from vsgen.sampling.methods import open_sampler
from vsgen.sampling.power.drafts import Draft
from vsgen.sampling.power.method import distinct_weights
from vsgen.sampling.settings import Engine, Power, Sampling, Settings
from vsgen.values import Completion, Distribution, Generate, Message, Prompt

TASK = Prompt((Message("user", "?"),))
WORDS = TableModel.of(
    "ab", {(): (0.6, 0.4, 0), (0,): (0.2, 0.3, 0.5), (1,): (0.7, 0.1, 0.2), (1, 0): (0.5, 0, 0.5)}, length=9
)
EVEN = TableModel.of("ab", {(): (0.5, 0.5, 0)}, length=9)
"""Two replies of equal probability: every weight is even."""
ENGINES: tuple[Engine, ...] = get_args(Engine)
each_engine = pytest.mark.parametrize("engine", ENGINES)


def settings(engine: Engine = "auto", *, k: int = 5, max_tokens: int = 6, **power: float) -> Settings:
    how = Power.model_validate({"engine": engine, **power})
    return Settings(Sampling(method="power", k=k, max_tokens=max_tokens, power=how))


def draw(how: Settings, answer: Callable[[Sequence[Generate]], Sequence[Completion]], seed: int = 0) -> Distribution:
    return play(open_sampler(how)(TASK, Random(seed)), answer)


@each_engine
def test_an_engine_yields_k_candidates_whose_weights_sum_to_1(engine: Engine) -> None:
    drawn = draw(settings(engine), WORDS.generate)
    assert len(drawn.candidates) + len(drawn.malformed) == 5
    weights = [one.weight for one in drawn.candidates] + [one.weight for one in drawn.malformed]
    assert math.fsum(weights) == pytest.approx(1, abs=1e-12)
    for one in drawn.candidates:
        law = target(WORDS, 1.0, 6)
        text = str(one.fields["text"])
        assert one.logp == pytest.approx(math.log(sum(p for t, p in law.items() if WORDS.spell(t) == text)), abs=1e-6)
        assert one.details["ended"] is True
        assert one.details["alpha"] == 2.0


@each_engine
def test_weights_are_p_alpha_over_the_distinct_candidates_and_equal_for_baselines(engine: Engine) -> None:
    drawn = draw(settings(engine, k=12), WORDS.generate)
    baseline = engine in ("low-temperature", "best-of-n")
    assert drawn.basis == ("frequency" if baseline else "power")
    by_text = {str(one.fields["text"]): one for one in drawn.candidates}
    assert 1 < len(by_text) < 12 or engine == "best-of-n"
    total = math.fsum(math.exp(2 * (one.logp or 0)) for one in by_text.values())
    for text, one in by_text.items():
        same = [other.weight for other in drawn.candidates if other.fields["text"] == text]
        share = len(same) / 12 if baseline else math.exp(2 * (one.logp or 0)) / total
        assert math.fsum(same) == pytest.approx(share, abs=1e-6)
        assert len({round(weight, 12) for weight in same}) == 1


def test_a_reply_that_occurs_twice_is_not_counted_twice() -> None:
    one, two = Draft((1,), (-1.0,), (-0.5,)), Draft((2,), (-2.0,), (-0.5,))
    likely = math.exp(-2.0) / (math.exp(-2.0) + math.exp(-4.0))
    assert distinct_weights([one, two, one], 2.0) == pytest.approx([likely / 2, 1 - likely, likely / 2])
    assert distinct_weights([replace(one, logps=(-40_000.0,)), replace(two, logps=(-40_001.0,))], 4.0) == pytest.approx(
        [1 / (1 + math.exp(-4)), 1 / (1 + math.exp(4))]
    )


def test_replies_that_cannot_be_read_keep_their_weight() -> None:
    silent = TableModel.of("ab", {(): (0.5, 0.0, 0.5)}, length=9)
    drawn = draw(settings("low-temperature", k=40), silent.generate)
    assert 0 < len(drawn.malformed) < 40
    assert {one.weight for one in drawn.malformed} == {1 / 40}
    drawn = draw(settings("is", k=40), silent.generate)
    assert math.fsum(one.weight for one in drawn.malformed) == pytest.approx(0.5)


@each_engine
def test_what_an_engine_says_of_a_candidate(engine: Engine) -> None:
    spent: list[Completion] = []

    def answer(calls: Sequence[Generate]) -> Sequence[Completion]:
        found = WORDS.generate(calls)
        spent.extend(found)
        return found

    drawn = draw(settings(engine), answer)
    details = [one.details for one in drawn.candidates]
    assert {one["engine"] for one in details} <= ({"is", "smc"} if engine == "auto" else {engine})
    evaluations = [one["evaluations"] for one in details]
    assert all(isinstance(one, int) for one in evaluations)
    assert not drawn.malformed
    assert sum(one for one in evaluations if isinstance(one, int)) == sum(len(reply.tokens) for reply in spent)
    used = details[0]["engine"]
    assert ("acceptance" in details[0]) == (used == "mh")
    assert ("log_z" in details[0]) == ("ess" in details[0]) == (used in ("is", "smc"))
    assert ("log_z_spread" in details[0]) == (used == "smc")
    calls, tokens = settings(engine).sampling.most
    assert len(spent) <= calls
    assert sum(len(reply.tokens) for reply in spent) <= tokens


def test_log_z_is_that_of_all_replies() -> None:
    exact = math.log(math.fsum(target(WORDS, 2.0, 6).values()))
    for engine in ("is", "smc"):
        (one, *_) = draw(settings(engine, k=100), WORDS.generate).candidates
        assert one.details["log_z"] == pytest.approx(exact, abs=0.15)


def test_auto_pays_for_sweeps_only_where_weights_are_uneven() -> None:
    assert {one.details["engine"] for one in draw(settings(), EVEN.generate).candidates} == {"is"}
    uneven = TableModel.of(
        "ab", {(): (0.5, 0.5, 0), (1,): (0.97, 0.01, 0.02), (0,): (0.34, 0.33, 0.33), (0, 0): (0.5, 0.5, 0)}, length=9
    )
    drawn = draw(settings(alpha=6.0, ess=0.9), uneven.generate)
    assert {one.details["engine"] for one in drawn.candidates} == {"smc"}


def test_auto_judges_from_eight_draws_though_fewer_are_wanted() -> None:
    asked: list[Generate] = []

    def answer(calls: Sequence[Generate]) -> Sequence[Completion]:
        asked.extend(calls)
        return EVEN.generate(calls)

    drawn = draw(settings(k=2), answer)
    assert (len(asked), len(drawn.candidates)) == (8, 2)
    assert {one.details["ess"] for one in drawn.candidates} == {8.0}


@pytest.mark.parametrize("engine", ["auto", "is", "smc", "mh"])
def test_alpha_1_is_plain_sampling(engine: Engine) -> None:
    drawn = draw(settings(engine, k=10, alpha=1.0), WORDS.generate)
    for one in drawn.candidates:
        assert one.details.get("acceptance") in {1.0, None}
        assert one.details.get("log_z", 0.0) == pytest.approx(0, abs=1e-9)
    assert not drawn.notes


@each_engine
def test_same_seed_same_candidates_and_another_seed_others(engine: Engine) -> None:
    how = settings(engine, k=12)
    assert draw(how, WORDS.generate) == draw(how, WORDS.generate)
    assert draw(how, WORDS.generate) != draw(how, WORDS.generate, seed=1)


@each_engine
def test_a_model_without_log_probabilities_is_refused(engine: Engine) -> None:
    def mute(calls: Sequence[Generate]) -> Sequence[Completion]:
        return [Completion("a", (1, 2)) for _ in calls]

    with pytest.raises(ModelError, match="does not give the probabilities of its tokens"):
        draw(settings(engine), mute)


@pytest.mark.parametrize("engine", ["auto", "smc", "mh"])
def test_a_cap_that_every_reply_reaches_is_told(engine: Engine) -> None:
    endless = TableModel(("a", "b"), lambda _, tokens: (0.5, 0.5, 0.0), 10_000)
    drawn = draw(settings(engine, max_tokens=5), endless.generate)
    assert [note for note in drawn.notes if "cut at sampling.max_tokens" in note]
    assert not any(one.details["ended"] for one in drawn.candidates)
    assert all("truncated" in one.flags for one in drawn.candidates)


def test_a_degenerate_effective_sample_size_is_told() -> None:
    def answer(calls: Sequence[Generate]) -> list[Completion]:
        return [wild(call) for call in calls]

    def wild(call: Generate) -> Completion:
        count = min(call.max_tokens, 40 - len(call.prefix))
        logps = (-Random(call.seed).uniform(0, 30),) * count
        logqs = (-1.0,) * count
        ended = len(call.prefix) + count == 40
        return Completion("x", (call.seed % 997,) * count, sum(logps), -1.0 * count, ended, 0, logps, logqs)

    drawn = draw(settings("smc", max_tokens=64, ramp=0.0), answer)
    assert [note for note in drawn.notes if "effective sample size" in note]
    assert all(isinstance(one.details["ess"], float) and one.details["ess"] < 1.5 for one in drawn.candidates)


def test_alpha_below_1_flattens_and_says_so() -> None:
    assert [note for note in draw(settings("is", alpha=0.5), WORDS.generate).notes if "flatter" in note]


def test_trace_and_answer_are_two_fields_of_one_reply() -> None:
    text = '{"trace": "two and two", "sum": "4"}'

    def answer(calls: Sequence[Generate]) -> Sequence[Completion]:
        assert all(call.schema is not None and "trace" in call.prompt.messages[0].content for call in calls)
        return [Completion(text, (1,), -1.0, -1.0, True, 0, (-1.0,), (-1.0,)) for _ in calls]

    schema = {"type": "object", "properties": {"trace": {"type": "string"}, "sum": {"type": "string"}}}
    how = replace(settings("is", k=2), fields=("trace", "sum"), item_schema=schema)
    assert [one.fields for one in draw(how, answer).candidates] == [{"trace": "two and two", "sum": "4"}] * 2


def test_importance_weights_are_said_and_their_collapse_is_told() -> None:
    drawn = draw(settings("is", k=6), WORDS.generate)
    stated = [one.details["importance"] for one in drawn.candidates]
    assert math.fsum(one for one in stated if isinstance(one, float)) == pytest.approx(1, abs=1e-5)
    assert [one.vote for one in drawn.candidates] == pytest.approx(stated, abs=1e-5)

    def lonely(calls: Sequence[Generate]) -> list[Completion]:
        return [Completion("x", (i,), -50.0 * (i + 1), -1.0) for i, _ in enumerate(calls)]

    assert [note for note in draw(settings("is"), lonely).notes if "importance weights are degenerate" in note]


def test_votes_count_each_draw_from_the_power_law_once() -> None:
    for engine in ENGINES:
        if engine != "is":
            drawn = draw(settings(engine, k=4), WORDS.generate)
            assert {one.vote for one in drawn.candidates} <= {0.25}


def test_chains_that_hardly_move_are_told() -> None:
    count = 0

    def ever_worse(calls: Sequence[Generate]) -> list[Completion]:
        nonlocal count
        count += 1
        logp = -100.0 * count
        return [Completion("x", (count,), logp, -1.0, True, 0, (logp,), (-1.0,)) for _ in calls]

    drawn = draw(settings("mh", k=1, max_tokens=2, steps=60, blocks=1), ever_worse)
    assert [note for note in drawn.notes if "hardly accept" in note]
    drawn = draw(settings("mh", k=3, steps=5), WORDS.generate)
    assert not [note for note in drawn.notes if "hardly accept" in note]
