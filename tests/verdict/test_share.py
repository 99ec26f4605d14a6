"""A share says no more than its counts can bear."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.verdict.share import Share, percent

COUNTS = st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@given(COUNTS)
def test_what_is_certain_is_a_share_and_less_than_what_was_seen(counts: tuple[int, int]) -> None:
    share = Share(*counts)
    assert 0 <= share.least <= share.value + 1e-12 <= 1 + 1e-12


@given(COUNTS)
def test_the_lower_end_solves_wilsons_equation(counts: tuple[int, int]) -> None:
    share = Share(*counts)
    p = share.least
    assert abs(share.value - p) == pytest.approx(math.sqrt(p * (1 - p) / share.of), abs=1e-9)


def test_more_draws_of_the_same_share_make_it_more_certain() -> None:
    ends = [Share(n // 2, n).least for n in (2, 4, 8, 40, 400)]
    assert ends == sorted(ends)
    assert ends[-1] < 0.5


def test_nothing_is_known_of_nothing() -> None:
    assert (Share(0, 0).value, Share(0, 0).least) == (0, 0)
    assert not Share(0, 0).surely(0)


@pytest.mark.parametrize(
    ("share", "words"), [(0, "0%"), (1, "100%"), (0.004, "< 1%"), (0.996, "> 99%"), (0.706, "71%")]
)
def test_only_none_is_no_percent_and_only_all_is_a_hundred(share: float, words: str) -> None:
    assert percent(share) == words
