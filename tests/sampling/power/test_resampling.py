"""Resampling keeps what it must: number, mean weight, expected weight of each particle; and evens out the weights."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sampling.power.exact import Fixed, outcomes
from vsgen.probability import effective_size, invert, log_mean_exp, softmax
from vsgen.sampling.power.resampling import resample, tempering

LOGWS = st.lists(st.floats(-30, 30), min_size=2, max_size=24)
SHARES = st.sampled_from([0.25, 0.5, 0.9, 1.0])


@given(logws=LOGWS, share=SHARES, seed=st.integers(0, 1000))
def test_number_and_parents_of_particles(logws: list[float], share: float, seed: int) -> None:
    found = resample(logws, share, Random(seed))
    assert len(found) == len(logws)
    assert [one.parent for one in found] == sorted(one.parent for one in found)


@given(logws=LOGWS, share=SHARES)
def test_the_exponent_is_the_largest_that_keeps_the_share(logws: list[float], share: float) -> None:
    exponent = tempering(logws, share)
    assert 0 < exponent <= 1
    assert effective_size([exponent * logw for logw in logws]) >= share * len(logws) - 1e-6
    if exponent < 1:
        assert effective_size([min(1.0, 1.001 * exponent + 1e-9) * logw for logw in logws]) < share * len(logws)


@given(logws=LOGWS, seed=st.integers(0, 1000))
def test_weights_that_keep_their_share_untempered_become_equal(logws: list[float], seed: int) -> None:
    found = resample(logws, 1 / len(logws), Random(seed))  # any effective sample size is as large as this
    assert [one.logw for one in found] == pytest.approx([log_mean_exp(logws)] * len(logws), abs=1e-9)
    counts = Counter(one.parent for one in found)
    for parent, share in enumerate(softmax(logws)):
        assert abs(counts[parent] - share * len(logws)) < 1 + 1e-6


@given(logws=st.lists(st.floats(-3, 3), min_size=2, max_size=8), share=SHARES)
@settings(max_examples=60, deadline=None)
def test_expected_weight_of_each_particle_is_its_own(logws: list[float], share: float) -> None:
    """Exactly: resampling uses one uniform number, over which it is integrated."""
    found = outcomes(lambda uniform: resample(logws, share, Fixed(uniform)))
    for parent, logw in enumerate(logws):
        expected = sum(
            width * math.exp(one.logw) for particles, width in found for one in particles if one.parent == parent
        )
        assert expected == pytest.approx(math.exp(logw), abs=1e-7)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_equal_weights_stay_as_they_are(share: float) -> None:
    found = resample([-5.0] * 7, share, Random(3))
    assert [one.parent for one in found] == list(range(7))
    assert [one.logw for one in found] == pytest.approx([-5.0] * 7)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_weights_of_nothing_and_of_4000_tokens_are_no_trouble(share: float) -> None:
    found = resample([-40_000.0, -math.inf, -40_001.0], share, Random(0))
    assert {one.parent for one in found} <= {0, 2}
    assert all(-40_002 < one.logw < -39_998 for one in found)


def test_tempered_weights_keep_more_different_particles_and_remember_which_were_heavy() -> None:
    logws = [14.0, 13.0, *[Random(i).gauss(0, 4) for i in range(30)]]
    hard, soft = (resample(logws, share, Random(0)) for share in (1 / 32, 0.5))
    assert len({one.parent for one in hard}) <= 3
    assert len({one.parent for one in soft}) >= 12
    assert max(soft, key=lambda one: one.logw).parent == 0


def test_sums_in_log_space() -> None:
    assert log_mean_exp([-40_000.0, -40_000.0]) == -40_000
    assert log_mean_exp([-math.inf, -math.inf]) == -math.inf
    assert log_mean_exp([0.0, -math.inf]) == pytest.approx(-math.log(2))
    assert softmax([-math.inf] * 4) == [0.25] * 4
    assert effective_size([-9.0] * 5) == pytest.approx(5)
    assert effective_size([0.0, -1000.0, -1000.0]) == pytest.approx(1)
    assert [invert([0.0, 0.25, 0.75, 0.0], uniform) for uniform in (0.0, 0.2, 0.3, 0.9999999999999999)] == [1, 1, 2, 2]
