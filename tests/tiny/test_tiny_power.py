"""Power sampling against the exact truth of the embedded grammar, and on the embedded model itself."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from functools import cache
from random import Random

import pytest

from tests.sampling.power.exact import noise, play, variation
from vsgen.backends.open import open_model
from vsgen.sampling.power.method import power
from vsgen.sampling.settings import Engine, Power, Sampling, Settings
from vsgen.tiny.grammar.sums import final
from vsgen.tiny.oracle import Oracle
from vsgen.values import Distribution, Message, Prompt

STORY = "Emma has 71 apples. Emma finds 5 more. Emma sells 9. How many apples does Emma have now?"
TASK = Prompt((Message("user", STORY),))
LIMIT = 64
DRAWS = 300


@cache
def oracle() -> Oracle:
    return Oracle()


@cache
def law(alpha: float) -> Mapping[str, float]:
    """p^alpha of every reply to the story, exactly."""
    return {oracle().spell(tokens): math.exp(alpha * logp) for tokens, logp in oracle().enumerate(TASK)}


def answers(weights: Mapping[str, float]) -> dict[int | None, float]:
    """The weight of each answer."""
    found: dict[int | None, float] = {}
    for text, weight in weights.items():
        found[final(text)] = found.get(final(text), 0.0) + weight
    return found


def draw(engine: Engine, k: int, alpha: float, **how: float) -> Distribution:
    sampling = Sampling(method="power", max_tokens=LIMIT, power=Power(engine=engine, alpha=alpha, **how))  # type: ignore[arg-type]
    settings = Settings(sampling.model_copy(update={"k": k}))  # more than a template may ask for
    return play(power(settings, TASK, Random(0)), oracle().generate)


def said(drawn: Distribution) -> Counter[int | None]:
    """How often each answer was drawn."""
    return Counter(final(str(one.fields["text"])) for one in drawn.candidates)


def test_the_story_sets_low_temperature_and_the_power_law_apart() -> None:
    exact = answers(law(4.0))
    low = said(draw("low-temperature", DRAWS, 4.0))
    assert variation(low, exact) > 0.5
    assert exact[67] / math.fsum(exact.values()) > 0.9  # the right answer
    assert low[67] < DRAWS / 2


@pytest.mark.parametrize(
    ("engine", "draws", "how"),
    [
        ("smc", DRAWS, {"particles": 32}),
        pytest.param("mh", DRAWS // 2, {"blocks": 1, "steps": 200}, marks=pytest.mark.slow),
    ],
)
def test_answers_are_drawn_from_the_exact_power_law(engine: Engine, draws: int, how: dict[str, float]) -> None:
    """Total variation to exact p^alpha over answers, within the sampling error of so many draws."""
    exact = answers(law(2.0))
    assert variation(said(draw(engine, draws, 2.0, **how)), exact) < noise(exact, draws)
    assert variation(said(draw("low-temperature", draws, 2.0)), exact) > 1.5 * noise(exact, draws)


def test_power_shares_of_distinct_replies_give_the_answers_probabilities() -> None:
    drawn = draw("is", DRAWS, 2.0)
    shares = {str(one.fields["text"]): float(str(one.details["power_share"])) for one in drawn.candidates}
    assert variation(answers(shares), answers(law(2.0))) < 0.02


def test_log_z_of_sweeps_is_the_exact_one() -> None:
    (one, *_) = draw("smc", 60, 2.0, particles=32).candidates
    assert one.details["log_z"] == pytest.approx(math.log(math.fsum(law(2.0).values())), abs=0.1)


def test_auto_finds_that_weights_of_the_story_are_uneven_and_of_a_plain_sum_are_not() -> None:
    assert {one.details["engine"] for one in draw("auto", 8, 4.0).candidates} == {"smc"}
    settings = Settings(Sampling(method="power", k=8, max_tokens=LIMIT, power=Power(alpha=4.0)))
    plain = Prompt((Message("user", "Start with 12, add 30. What is the result?"),))
    drawn = play(power(settings, plain, Random(0)), open_model("tiny").generate)
    assert {one.details["engine"] for one in drawn.candidates} == {"is"}
    assert {one.fields["text"] for one in drawn.candidates} == {"12 + 30 = 42. The answer is 42."}


def test_the_embedded_model_itself_answers_the_story_rightly_by_sweeps_and_not_at_low_temperature() -> None:
    model = open_model("tiny")
    right: dict[Engine, int] = {}
    for engine in ("smc", "low-temperature"):
        settings = Settings(Sampling(method="power", k=16, max_tokens=LIMIT, power=Power(engine=engine, alpha=4.0)))
        drawn = play(power(settings, TASK, Random(0)), model.generate)
        right[engine] = sum(final(str(one.fields["text"])) == 67 for one in drawn.candidates)
    assert right["smc"] >= 14
    assert right["low-temperature"] <= 10
