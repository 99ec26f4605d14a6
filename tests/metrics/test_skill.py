"""Skill: what probabilities say beyond the frequencies of the classes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vsgen.metrics.calibration import quality
from vsgen.metrics.skill import class_prior, equal_shares, skill
from vsgen.probability import PSEUDOCOUNT

GOLD = [[1.0, 0.0, 0.0]] * 5 + [[0.0, 1.0, 0.0]] * 3 + [[0.2, 0.3, 0.5]] * 2


def test_the_prior_of_a_row_is_the_smoothed_shares_of_the_others() -> None:
    others = np.sum(GOLD[1:], axis=0) + PSEUDOCOUNT
    assert class_prior(GOLD)[0] == pytest.approx((others / others.sum()).tolist(), rel=1e-12)
    assert class_prior([[1.0, 0.0]]) == [[0.5, 0.5]]


def test_rows_that_differ_in_their_classes_have_equal_shares_for_a_prior() -> None:
    rows = [[1.0, 0.0], [0.0, 0.0, 1.0]]
    assert class_prior(rows) == equal_shares(rows) == [[0.5, 0.5], [pytest.approx(1 / 3)] * 3]


def test_the_prior_has_no_skill_and_the_gold_all_of_it() -> None:
    prior = class_prior(GOLD)
    assert skill(prior, GOLD, prior) == (0, 0)
    sure = GOLD[:8]
    assert skill(sure, sure, class_prior(sure)).value == 1


def test_skill_is_the_share_of_the_priors_log_loss_that_is_saved() -> None:
    found = skill([[0.8, 0.2], [0.4, 0.6]], [[1, 0], [0, 1]], [[0.5, 0.5]] * 2)
    assert found.value == pytest.approx(1 + (math.log(0.8) + math.log(0.6)) / 2 / math.log(2))


def test_the_error_of_skill_is_how_much_it_varies_from_sample_to_sample() -> None:
    rng, found = np.random.default_rng(0), []
    for _ in range(150):
        truth = rng.dirichlet([1.0, 0.6, 0.4], 150)
        gold = np.eye(3)[(rng.random((150, 1)) > truth.cumsum(axis=1)).sum(axis=1).clip(max=2)].tolist()
        found.append(skill(truth.tolist(), gold, class_prior(gold)))
    spread = float(np.std([one.value for one in found], ddof=1))
    stated = float(np.mean([one.error or 0 for one in found]))
    assert stated == pytest.approx(spread, abs=3 * spread / math.sqrt(2 * 150))


def test_rows_about_one_text_are_one_sample() -> None:
    rng = np.random.default_rng(0)
    truth = rng.dirichlet([1.0, 0.6], 50).tolist()
    gold = [[1.0, 0.0] if rng.random() < p else [0.0, 1.0] for p, _ in truth]
    prior = class_prior(gold)
    once, texts = skill(truth, gold, prior), [*range(50)] * 3
    thrice = skill(truth * 3, gold * 3, prior * 3, texts=texts)
    assert once.error is not None
    assert thrice == pytest.approx(once)
    assert quality(truth * 3, gold * 3, texts=texts).brier == pytest.approx(quality(truth, gold).brier)
    assert skill(truth * 3, gold * 3, prior * 3).error == pytest.approx(once.error / math.sqrt(3), rel=0.02)
    assert skill(truth[:2], gold[:2], prior[:2], texts=[7, 7]).error is None


def test_a_right_class_of_probability_zero_is_infinitely_worse_than_the_prior() -> None:
    assert skill([[1.0, 0.0]] * 2, [[0, 1]] * 2, [[0.5, 0.5]] * 2) == (-math.inf, None)
    assert skill([[1.0]], [[1.0]], [[1.0]]) == (0, None)
