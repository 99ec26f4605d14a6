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
from vsgen.sampling.power.resampling import RATIO, Scheme, chopthin, resample, systematic

LOGWS = st.lists(st.floats(-30, 30), min_size=2, max_size=24)
SCHEMES: list[Scheme] = ["systematic", "chopthin"]
each_scheme = pytest.mark.parametrize("scheme", SCHEMES)


@each_scheme
@given(logws=LOGWS, seed=st.integers(0, 1000))
def test_number_and_parents_of_particles(scheme: Scheme, logws: list[float], seed: int) -> None:
    found = resample(scheme, logws, Random(seed))
    assert len(found) == len(logws)
    assert [one.parent for one in found] == sorted(one.parent for one in found)


@given(logws=LOGWS, seed=st.integers(0, 1000))
def test_systematic_makes_weights_equal_and_keeps_their_mean(logws: list[float], seed: int) -> None:
    found = systematic(logws, Random(seed))
    assert {one.logw for one in found} == {found[0].logw}
    assert found[0].logw == pytest.approx(log_mean_exp(logws), abs=1e-9)
    counts = Counter(one.parent for one in found)
    for parent, share in enumerate(softmax(logws)):
        assert abs(counts[parent] - share * len(logws)) < 1 + 1e-6


@given(logws=LOGWS, seed=st.integers(0, 1000))
def test_chopthin_bounds_the_ratio_and_keeps_heavy_particles_whole(logws: list[float], seed: int) -> None:
    found = chopthin(logws, Random(seed))
    after = [one.logw for one in found]
    assert max(after) - min(after) <= math.log(RATIO) + 1e-6
    assert effective_size(after) >= len(after) / 2 - 1e-6
    lightest = min(after)
    for parent, logw in enumerate(logws):
        parts = [math.exp(one.logw - logw) for one in found if one.parent == parent]
        if logw > lightest + 1e-6:
            assert math.fsum(parts) == pytest.approx(1, abs=1e-6)


@each_scheme
@given(logws=st.lists(st.floats(-3, 3), min_size=2, max_size=8))
@settings(max_examples=60, deadline=None)
def test_expected_weight_of_each_particle_is_its_own(scheme: Scheme, logws: list[float]) -> None:
    """Exactly: resampling uses one uniform number, over which it is integrated."""
    found = outcomes(lambda uniform: resample(scheme, logws, Fixed(uniform)))
    for parent, logw in enumerate(logws):
        expected = sum(
            width * math.exp(one.logw) for particles, width in found for one in particles if one.parent == parent
        )
        assert expected == pytest.approx(math.exp(logw), abs=1e-7)


@each_scheme
def test_equal_weights_stay_as_they_are(scheme: Scheme) -> None:
    found = resample(scheme, [-5.0] * 7, Random(3))
    assert [one.parent for one in found] == list(range(7))
    assert [one.logw for one in found] == pytest.approx([-5.0] * 7)


@each_scheme
def test_weights_of_nothing_and_of_4000_tokens_are_no_trouble(scheme: Scheme) -> None:
    found = resample(scheme, [-40_000.0, -math.inf, -40_001.0], Random(0))
    assert {one.parent for one in found} <= {0, 2}
    assert all(-40_002 < one.logw < -39_998 for one in found)


def test_chopthin_keeps_more_different_particles_than_systematic_resampling() -> None:
    logws = [4.0, 3.0, *[Random(i).gauss(0, 1) for i in range(30)]]
    survivors = {
        scheme: sum(len({one.parent for one in resample(scheme, logws, Random(seed))}) for seed in range(50))
        for scheme in SCHEMES
    }
    assert survivors["chopthin"] > survivors["systematic"]


def test_sums_in_log_space() -> None:
    assert log_mean_exp([-40_000.0, -40_000.0]) == -40_000
    assert log_mean_exp([-math.inf, -math.inf]) == -math.inf
    assert log_mean_exp([0.0, -math.inf]) == pytest.approx(-math.log(2))
    assert softmax([-math.inf] * 4) == [0.25] * 4
    assert effective_size([-9.0] * 5) == pytest.approx(5)
    assert effective_size([0.0, -1000.0, -1000.0]) == pytest.approx(1)
    assert [invert([0.0, 0.25, 0.75, 0.0], uniform) for uniform in (0.0, 0.2, 0.3, 0.9999999999999999)] == [1, 1, 2, 2]
