"""The exact toy model keeps the laws and its own promises."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from vsgen.backends.table import TableModel, shape
from vsgen.probability import invert
from vsgen.testing import check_language_model
from vsgen.values import Generate, Prompt, Score

PROMPT = Prompt(prefill="x")


@pytest.mark.parametrize("seed", range(4))
def test_table_keeps_the_laws(seed: int) -> None:
    check_language_model(TableModel.random(seed), tolerance=1e-12)


def test_enumerated_probabilities_sum_to_one() -> None:
    model = TableModel.random(3, length=5)
    assert math.fsum(math.exp(logp) for _, logp in model.enumerate(PROMPT)) == pytest.approx(1, abs=1e-12)


def test_score_is_the_enumerated_probability_also_of_a_choice_that_begins_another() -> None:
    model = TableModel.random(1, length=3)
    truth = {model.spell(tokens): logp for tokens, logp in model.enumerate(PROMPT)}
    assert {"a", "ab", ""} <= truth.keys()
    (scores,) = model.score([Score(PROMPT, tuple(truth))])
    assert scores.logp == pytest.approx(list(truth.values()), abs=1e-12)
    assert math.fsum(map(math.exp, scores.logp)) == pytest.approx(1, abs=1e-12)


def test_choice_outside_the_alphabet_is_impossible() -> None:
    (scores,) = TableModel.random(0).score([Score(PROMPT, ("z", "aaaaaaaa"))])
    assert scores.logp == (-math.inf, -math.inf)


def test_given_probabilities_are_those_drawn_from() -> None:
    model = TableModel.of("ab", {(): [0.5, 0.3, 0.2], (0,): [0.0, 0.25, 0.75]}, length=2)
    replies = model.generate([Generate(PROMPT, seed=seed) for seed in range(4000)])
    counts = Counter(reply.text for reply in replies)
    for text, prob in {"a": 0.375, "ab": 0.125, "b": 0.3, "": 0.2}.items():
        assert counts[text] / 4000 == pytest.approx(prob, abs=4 * math.sqrt(prob * (1 - prob) / 4000))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"top_k": 1}, [1, 0, 0]),
        ({"top_p": 0.5}, [1, 0, 0]),
        ({"top_p": 0.51}, [0.625, 0.375, 0]),
        ({"min_p": 0.5}, [0.625, 0.375, 0]),
        ({"temperature": 0.5}, [25 / 38, 9 / 38, 4 / 38]),
        ({"temperature": 0.0}, [1, 0, 0]),
    ],
)
def test_filters_keep_what_they_promise(settings: dict[str, float], expected: list[float]) -> None:
    call = Generate(PROMPT, seed=0, **settings)  # type: ignore[arg-type]
    assert shape([0.5, 0.3, 0.2], call) == pytest.approx(expected)


def test_inversion_never_gives_an_impossible_token() -> None:
    assert invert([0.0, 0.1, 0.9 - 1e-9, 0.0], 1 - 2**-53) == 2
    assert invert([0.0, 1.0], 0.0) == 1
