"""Method power: what is asked, what each engine says of a candidate, and how candidates weigh."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import get_args

import pytest

from tests.sampling.power.exact import Toy, noise, play, shares, target, twisted, variation
from vsgen.backends.table import TableModel
from vsgen.errors import ModelError
from vsgen.flow import Flow, Spent, known, metered
from vsgen.sampling.methods import open_sampler
from vsgen.sampling.power.drafts import Draft
from vsgen.sampling.power.factors import Potentials
from vsgen.sampling.power.method import power_shares
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
def test_every_reply_weighs_the_same_and_those_of_engine_is_by_importance(engine: Engine) -> None:
    drawn = draw(settings(engine, k=12), WORDS.generate)
    assert drawn.basis == ("frequency" if engine in ("low-temperature", "best-of-n") else "power")
    if engine == "is":
        assert [one.weight for one in drawn.candidates] == pytest.approx(
            [one.details["importance"] for one in drawn.candidates], abs=1e-5
        )
    else:
        assert {one.weight for one in drawn.candidates} == {1 / 12}


@each_engine
def test_the_power_share_is_that_of_p_alpha_over_the_distinct_replies(engine: Engine) -> None:
    drawn = draw(settings(engine, k=12), WORDS.generate)
    by_text = {str(one.fields["text"]): one for one in drawn.candidates}
    if engine in ("low-temperature", "best-of-n"):
        assert not any("power_share" in one.details for one in drawn.candidates)
        return
    assert 1 < len(by_text) < 12
    total = math.fsum(math.exp(2 * (one.logp or 0)) for one in by_text.values())
    for one in drawn.candidates:
        assert one.details["power_share"] == pytest.approx(math.exp(2 * (one.logp or 0)) / total, rel=1e-5)


def test_a_reply_that_occurs_twice_has_one_power_share_and_potentials_count() -> None:
    one, two = Draft((1,), (-1.0,), (-0.5,)), Draft((2,), (-2.0,), (-0.5,))
    likely = math.exp(-2.0) / (math.exp(-2.0) + math.exp(-4.0))
    assert power_shares([one, two, one], 2.0) == pytest.approx([likely, 1 - likely, likely])
    assert power_shares([replace(one, logps=(-40_000.0,)), replace(two, logps=(-40_001.0,))], 4.0) == pytest.approx(
        [1 / (1 + math.exp(-4)), 1 / (1 + math.exp(4))]
    )
    assert power_shares([one, replace(two, factor=2.0)], 2.0) == pytest.approx([0.5, 0.5])
    assert power_shares([one, replace(two, factor=-math.inf)], 2.0) == [1.0, 0.0]
    assert power_shares([], 2.0) == []


def test_replies_that_cannot_be_read_keep_their_weight() -> None:
    silent = TableModel.of("ab", {(): (0.5, 0.0, 0.5)}, length=9)
    drawn = draw(settings("low-temperature", k=40), silent.generate)
    assert 0 < len(drawn.malformed) < 40
    assert {one.weight for one in drawn.malformed} == {1 / 40}
    drawn = draw(settings("is", k=40), silent.generate)
    assert math.fsum(one.weight for one in drawn.malformed) == pytest.approx(len(drawn.malformed) / 40)


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
    assert ("log_z_spread" in details[0]) == ("ancestors" in details[0]) == (used == "smc")
    assert ("chosen" in details[0]) == (engine == "auto")
    calls, tokens = settings(engine).sampling.most
    assert len(spent) <= calls
    assert sum(len(reply.tokens) for reply in spent) <= tokens


@each_engine
def test_a_sweep_and_a_chain_are_one_reply_however_many_calls_they_take(engine: Engine) -> None:
    spent, tokens, how = Spent(), 0, settings(engine, k=3)

    def answer(calls: Sequence[Generate]) -> Sequence[Completion]:
        nonlocal tokens
        found = WORDS.generate(calls)
        tokens += sum(len(reply.tokens) for reply in found)
        return found

    play(metered(open_sampler(how)(TASK, Random(0)), spent), answer)
    (one, *_) = draw(how, WORDS.generate).candidates
    pilot = {"auto": 8, "mh": 3}.get(engine, 0)
    picks = {"best-of-n": 3 * 16, "auto": 3 if one.details["engine"] == "smc" else 0}.get(engine, 3)
    assert (spent.replies, spent.tokens) == (pilot + picks, tokens)
    assert spent.replies <= how.sampling.replies


@pytest.mark.parametrize("engine", ["auto", "smc"])
def test_moves_of_particles_are_counted_bounded_and_said(engine: Engine) -> None:
    spent: list[Completion] = []

    def answer(calls: Sequence[Generate]) -> Sequence[Completion]:
        found = WORDS.generate(calls)
        spent.extend(found)
        return found

    how = settings(engine, k=3, ess=1.0, particles=4, check_every=1, moves=3)
    details = [one.details for one in draw(how, answer).candidates]
    assert all(0 < float(str(one["acceptance"])) <= 1 for one in details)
    assert sum(int(str(one["evaluations"])) for one in details) == sum(len(reply.tokens) for reply in spent)
    calls, tokens = how.sampling.most
    still = settings(engine, k=3, ess=1.0, particles=4, check_every=1).sampling
    assert still.most[0] < len(spent) <= calls
    assert sum(len(reply.tokens) for reply in spent) <= tokens
    assert calls - still.most[0] == 3 * 4 * 3 * 3  # replies, particles, moves; after 1, 2 and 4 of 6 tokens
    assert tokens - still.most[1] == 3 * 4 * 3 * (1 + 2 + 4)
    assert how.sampling.powered.judged(3, 6, looks=False) == (calls, calls + 3)


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
    (why,) = {one.details["chosen"] for one in drawn.candidates}
    assert re.fullmatch(r"effective sample size [\d.]+ of 8 plain draws, below 7\.2", str(why))
    (note,) = [note for note in drawn.notes if note.startswith("engine auto used smc")]
    assert "low-temperature costs 1" in note


def test_plain_replies_that_showed_uneven_weights_may_be_picked_too() -> None:
    """One of the plain draws ends with the only likely reply, and no particle does: it is picked for its own sweep."""
    likely = Completion("a", (0, 2), -0.1, -9.0, True, 0, (-0.1, 0.0), (-9.0, 0.0))
    asked = 0

    def answer(calls: Sequence[Generate]) -> list[Completion]:
        nonlocal asked
        asked += len(calls)
        rest = [Completion("b", (1, 2), -9.0, -1.0, True, 0, (-9.0, 0.0), (-1.0, 0.0)) for _ in calls]
        return [likely, *rest[1:]] if asked == 8 else rest

    drawn = draw(settings(k=4), answer)
    assert sorted(str(one.fields["text"]) for one in drawn.candidates) == ["a", "b", "b", "b"]
    assert {one.details["evaluations"] for one in drawn.candidates} == {2 * (16 + 2)}
    assert {one.details["ancestors"] for one in drawn.candidates} == {18}


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
    assert not draw(replace(settings(engine, max_tokens=5), open_ended=True), endless.generate).notes


def test_a_degenerate_effective_sample_size_is_told() -> None:
    def answer(calls: Sequence[Generate]) -> list[Completion]:
        return [wild(call) for call in calls]

    def wild(call: Generate) -> Completion:
        count = min(call.max_tokens, 40 - len(call.prefix))
        logps = (-Random(call.seed).uniform(0, 30),) * count
        logqs = (-1.0,) * count
        ended = len(call.prefix) + count == 40
        return Completion("x", (call.seed % 997,) * count, sum(logps), -1.0 * count, ended, 0, logps, logqs)

    drawn = draw(settings("smc", max_tokens=64), answer)
    assert [note for note in drawn.notes if "weight of about one particle" in note]
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


FEW = Toy(lambda text: {"a": 0.0, "b": 4.0}.get(text, 0.5), lambda text: 2.0 if text.startswith("b") else 1.0)
TARGETED = ("auto", "smc", "mh", "is")


def judged(how: Settings, toy: Toy) -> Settings:
    return replace(how, potentials=Potentials((toy,)))


@pytest.mark.slow
@pytest.mark.parametrize("engine", TARGETED)
@pytest.mark.parametrize("alpha", [1.0, 2.0])
def test_an_engine_draws_from_p_alpha_times_the_potentials(engine: Engine, alpha: float) -> None:
    """400 replies: within the noise of as many draws from the law itself, and p^alpha alone is elsewhere.

    Those of auto and is are weighted or resampled ones, which are worth half as many.
    """
    law = shares({WORDS.spell(tokens): weight for tokens, weight in twisted(WORDS, alpha, 6, FEW).items()})
    without = {WORDS.spell(tokens): weight for tokens, weight in target(WORDS, alpha, 6).items()}
    found: dict[str, float] = {}
    how = judged(settings(engine, k=100, alpha=alpha, particles=64, check_every=1, blocks=1, steps=60), FEW)
    for seed in range(4):
        for one in draw(how, WORDS.generate, seed).candidates:
            if factor := FEW.value(str(one.fields["text"])):
                assert one.details["log_factor"] == pytest.approx(math.log(factor), abs=1e-5)
            else:
                assert (engine, one.weight) == ("is", 0.0)
            found[str(one.fields["text"])] = found.get(str(one.fields["text"]), 0.0) + one.weight
    worth = 200 if engine in ("auto", "is") else 400
    assert variation(found, law) < noise(law, worth) < variation(without, law)


@pytest.mark.parametrize("engine", TARGETED)
@pytest.mark.parametrize("early", [0.0, 1.0])
def test_where_all_is_impossible_every_reply_says_why(engine: Engine, early: float) -> None:
    drawn = draw(judged(settings(engine, k=3, particles=4), Toy(lambda _: 0.0, lambda _: early)), WORDS.generate)
    assert [one for one in drawn.notes if "make all replies of a draw impossible" in one]
    weights = [one.weight for one in drawn.candidates] + [one.weight for one in drawn.malformed]
    assert math.fsum(weights) == pytest.approx(1)
    assert drawn.candidates
    for one in drawn.candidates:
        assert one.details["impossible"] == "potential toy: impossible"
        assert one.details.get("ess", 0) == 0
        assert "power_share" not in one.details
        json.dumps(dict(one.details), allow_nan=False)


class Counted:
    """A potential that makes replies that have ended unlikely, and counts how many it is asked about."""

    reason = "counted"
    doubt = None

    def __init__(self) -> None:
        self.wholes = self.all = 0

    def whole(self, drafts: Sequence[Draft]) -> Flow[Sequence[float]]:
        self.wholes, self.all = self.wholes + len(drafts), self.all + len(drafts)
        return known([-9.0 if draft.ended else 0.0 for draft in drafts])

    def early(self, drafts: Sequence[Draft]) -> Flow[Sequence[float]]:
        self.all += len(drafts)
        return known([0.0] * len(drafts))


@pytest.mark.parametrize(("engine", "moves"), [*((engine, 0) for engine in TARGETED), ("smc", 2)])
def test_a_potential_is_asked_about_no_more_replies_than_is_said_before(engine: Engine, moves: int) -> None:
    """Also where particles that have ended give way to others that end later: more than one for each particle."""
    restless = TableModel(tuple("abcdefgh"), lambda _, tokens: (*(0.0875,) * 8, 0.3), 10_000)
    counted, how = (
        Counted(),
        settings(engine, k=2, max_tokens=20, alpha=1.0, particles=4, check_every=1, steps=2, moves=moves),
    )
    draw(replace(how, potentials=Potentials((counted,))), restless.generate)
    for asked, looks in ((counted.wholes, False), (counted.all, True)):
        assert asked <= how.sampling.powered.judged(2, 20, looks=looks)[1]
    if engine == "smc":
        assert counted.wholes > 2 * 4


@pytest.mark.parametrize("engine", ["auto", "smc"])
def test_a_sweep_without_a_possible_reply_has_no_effective_size_and_auto_says_why_it_swept(engine: Engine) -> None:
    drawn = draw(judged(settings(engine, k=2, particles=4), Toy(lambda _: 0.0, lambda _: 1.0)), WORDS.generate)
    assert {one.details["ess"] for one in drawn.candidates} == {0.0}
    if engine == "auto":
        assert {one.details["chosen"] for one in drawn.candidates} == {"none of 8 plain draws satisfies the potentials"}
        (note,) = [note for note in drawn.notes if note.startswith("engine auto used smc, since none of 8 plain draws")]
        assert "low-temperature" not in note
