"""The measures of known distributions, against enumeration, closed forms and scipy."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vsgen.backends.table import TableModel
from vsgen.metrics import distribution as measures
from vsgen.values import Prompt, Score, Teach

PROMPT = Prompt(prefill="x")
NUMBERS = st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=12)
SUPPORTS = st.dictionaries(st.integers(-20, 20).map(float), st.floats(0.01, 1), min_size=1, max_size=8)


def shares(weights: dict[float, float]) -> tuple[list[float], list[float]]:
    total = math.fsum(weights.values())
    return sorted(weights), [weights[value] / total for value in sorted(weights)]


@given(NUMBERS, SUPPORTS)
def test_wasserstein_is_scipys(drawn: list[float], weights: dict[float, float]) -> None:
    values, probs = shares(weights)
    truth = stats.wasserstein_distance(drawn, values, v_weights=probs)
    assert measures.wasserstein1(drawn, values, probs) == pytest.approx(truth, abs=1e-9)


def test_wasserstein_moves_with_the_draws_and_is_nothing_for_the_target_itself() -> None:
    values, probs = [0.0, 1.0, 5.0], [0.5, 0.25, 0.25]
    drawn = [0.0, 5.0, 1.0, 0.0]
    assert measures.wasserstein1(drawn, values, probs) == 0
    assert measures.wasserstein1([x + 2.5 for x in drawn], values, probs) == pytest.approx(2.5)
    assert measures.wasserstein1([], values, probs) is None


def test_expected_wasserstein_is_the_mean_over_all_draws() -> None:
    values, probs = [-1.0, 0.5, 2.0], [0.2, 0.5, 0.3]
    mean = 0.0
    for drawn in product(range(3), repeat=5):
        w1 = measures.wasserstein1([values[i] for i in drawn], values, probs)
        assert w1 is not None
        mean += math.prod(probs[i] for i in drawn) * w1
    assert measures.expected_wasserstein1(values, probs, 5) == pytest.approx(mean, abs=1e-12)


def test_interquartile_is_the_middle_half() -> None:
    assert measures.interquartile([1.0, 2.0, 3.0, 4.0], [0.25] * 4) == 2.0
    assert measures.interquartile([0.0, 1.0], [0.9, 0.1]) == 0
    normal = [x / 1000 for x in range(-5000, 5001)]
    probs = stats.norm.pdf(normal).tolist()
    width = measures.interquartile(normal, [p / math.fsum(probs) for p in probs])
    assert width == pytest.approx(2 * stats.norm.ppf(0.75), abs=2e-3)


def test_divergence_of_whole_answers_is_the_chain_rules_sum_over_prefixes() -> None:
    target, model = TableModel.random(0, length=3), TableModel.random(1, length=3)
    answers = {target.spell(tokens): math.exp(logp) for tokens, logp in target.enumerate(PROMPT)}
    (scores,) = model.score([Score(PROMPT, tuple(answers))])
    found = measures.divergence(list(answers.values()), scores.logp)
    by_steps = 0.0
    waiting: list[tuple[tuple[int, ...], float]] = [((), 1.0)]
    while waiting:
        prefix, mass = waiting.pop()
        q, p = target.probs(PROMPT, prefix), model.probs(PROMPT, prefix)
        by_steps += mass * math.fsum(a * math.log(a / b) for a, b in zip(q, p, strict=True) if a)
        waiting += [((*prefix, token), mass * q[token]) for token in range(target.end) if q[token]]
    assert found == pytest.approx(by_steps, abs=1e-12)
    assert found > 0.1


def test_divergence_is_nothing_from_oneself_and_infinite_where_an_answer_is_impossible() -> None:
    probs = [0.5, 0.25, 0.25, 0.0]
    assert measures.divergence(probs, [math.log(p) if p else -math.inf for p in probs]) == 0
    assert measures.divergence(probs, [-1.0, -math.inf, -1.0, -1.0]) == math.inf


@pytest.mark.parametrize(
    ("probs", "share", "size"),
    [
        ([0.1] * 10, 0.9, 9),
        ([0.9, 0.1], 0.9, 1),
        ([0.05, 0.85, 0.1], 0.9, 2),
        ([0.25] * 4, 1.0, 4),
        ([0.5, 0.3], 0.9, None),
        ([1.0], 0.9, 1),
    ],
)
def test_support_is_the_fewest_outcomes_that_hold_the_share(probs: list[float], share: float, size: int | None) -> None:
    assert measures.support_size(probs, share) == size


def test_first_step_is_the_models_own() -> None:
    model = TableModel.random(3, symbols="abcdef", length=2)
    (taught,) = model.teach([Teach(PROMPT, "", 1 << 20)])
    truth = sorted(model.probs(PROMPT, ()), reverse=True)
    assert measures.first_step(taught) == pytest.approx(truth, abs=1e-6)
    assert measures.support_size(measures.first_step(taught)) == measures.support_size(truth)
    (longer,) = model.teach([Teach(PROMPT, "ab", 1 << 20)])
    assert measures.first_step(longer) == pytest.approx(truth, abs=1e-6)


def test_replies_count_as_one_if_their_first_lines_do() -> None:
    assert measures.unique_rate(["Paris", " paris\nis nice", "PARIS ", "Rome"]) == 0.5
    assert measures.unique_rate(["New  York", "new york"]) == 0.5
    assert measures.unique_rate([]) is None
    assert measures.unique_rate(["", "\n"]) == 0.5


def test_expected_unique_rate_is_the_mean_over_all_draws() -> None:
    probs = [0.6, 0.3, 0.1]
    mean = math.fsum(math.prod(probs[i] for i in drawn) * len(set(drawn)) / 4 for drawn in product(range(3), repeat=4))
    assert measures.expected_unique_rate(probs, 4) == pytest.approx(mean, abs=1e-12)


def test_total_variation_is_half_the_summed_difference_and_nothing_to_say_without_counts() -> None:
    fair = dict.fromkeys("ABCD", 0.25)
    assert measures.total_variation({"C": 10}, fair) == 0.75
    assert measures.total_variation({"A": 1, "B": 1, "C": 1, "D": 1}, fair) == 0
    assert measures.total_variation({"A": 1, "X": 1}, {"A": 1.0}) == 0.5
    assert measures.total_variation({}, fair) is None


def test_expected_total_variation_is_the_mean_over_all_draws() -> None:
    target = {"a": 0.5, "b": 0.3, "c": 0.2}
    mean = 0.0
    for drawn in product(target, repeat=6):
        apart = measures.total_variation(Counter(drawn), target)
        assert apart is not None
        mean += math.prod(target[name] for name in drawn) * apart
    assert measures.expected_total_variation(list(target.values()), 6) == pytest.approx(mean, abs=1e-12)
    assert measures.expected_total_variation([1.0], 10) == 0


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("3.14", 3.14),
        (" -0.5\n", -0.5),
        ("−2", -2.0),
        (".5", 0.5),
        ("1e-3", 0.001),
        ("7\nas you wished", 7.0),
        ("The number is 7", None),
        ("7.", 7.0),
        ("1,000", None),
        ("nan", None),
        ("1e999", None),
        ("", None),
        ("٣", None),
    ],
)
def test_a_number_is_read_only_where_the_first_line_is_one(reply: str, number: float | None) -> None:
    assert measures.read_number(reply) == number


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("Which? A) x B) y C) z D) w Answer: B", "B"),
        ("... \nAnswer: **C**", "C"),
        ("The correct answer is (D).", "D"),
        ("Correct option: A) Paris", "A"),
        ("Answer the question. A) x\nB) y\nANSWER - C", "C"),
        ("the answer is a dog", None),
        ("Answer: Denmark", None),
        ("Which is correct? A) x B) y", None),
        ("Answer: A's", None),
        ("", None),
    ],
)
def test_a_position_is_read_only_where_it_is_named(reply: str, letter: str | None) -> None:
    assert measures.read_position(reply) == letter
