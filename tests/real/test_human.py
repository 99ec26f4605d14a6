"""The data of human raters, and the figures by which labels are judged on it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.real.human import balanced, calibrated, entropies, losses, prior_of, raw
from tests.real.lexicon import lexicon
from tests.real.ratings import CHOSEN, CLASSES, REPORTED, rated

TWEETS = rated(REPORTED)
GOLD = np.array([one.probs for one in TWEETS])


def test_the_sources_share_no_text_and_every_text_has_shares_of_raters() -> None:
    reviews = rated(CHOSEN)
    assert len(reviews) == len(TWEETS) == 600
    assert not {one.text for one in reviews} & {one.text for one in TWEETS}
    assert all(math.isclose(sum(one.probs), 1, abs_tol=0.01) for one in [*reviews, *TWEETS])


def test_the_class_prior_has_no_skill_and_the_raters_themselves_have_all_there_is() -> None:
    prior, truth = raw(prior_of(GOLD), GOLD), raw(GOLD, GOLD)
    assert prior.skill.value == pytest.approx(0, abs=1e-12)
    assert truth.divergence == pytest.approx(0, abs=1e-9)
    assert truth.variation == 0
    assert truth.skill.value == pytest.approx(1 - entropies(GOLD).mean() / losses(prior_of(GOLD), GOLD).mean())


def test_a_scaling_fitted_to_some_texts_undoes_a_bias_on_the_others() -> None:
    biased = GOLD**0.5 * [1, 0.05, 1] + 0.01
    biased /= biased.sum(axis=1, keepdims=True)
    bare, fitted = raw(biased, GOLD), calibrated(biased, GOLD, splits=2)
    assert fitted.skill.low > bare.skill.high
    assert fitted.variation < bare.variation
    noise = np.random.default_rng(0).dirichlet([1, 1, 1], size=len(GOLD))
    assert calibrated(noise, GOLD, splits=2).skill.high > 0 > raw(noise, GOLD).skill.high


def test_balancing_makes_the_mean_prediction_more_even() -> None:
    uneven = np.random.default_rng(0).dirichlet([6, 1, 3], size=200)
    assert np.ptp(balanced(uneven).mean(axis=0)) < np.ptp(uneven.mean(axis=0)) / 2


def test_the_word_list_knows_good_from_bad_and_turns_at_a_negation() -> None:
    good, bad, turned = map(lexicon, ("A great camera", "a terrible camera", "not a great camera"))
    assert max(zip(good, CLASSES, strict=True))[1] == "positive"
    assert max(zip(bad, CLASSES, strict=True))[1] == max(zip(turned, CLASSES, strict=True))[1] == "negative"
    assert sum(good) == pytest.approx(1)
