"""Spearman's rank correlation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from vsgen.metrics.ranks import rank_correlation

PAIRS = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=40)


@given(PAIRS)
def test_it_is_scipys_ties_included(pairs: list[tuple[int, int]]) -> None:
    xs, ys = zip(*pairs, strict=True)
    found = rank_correlation(xs, ys)
    if len(set(xs)) == 1 or len(set(ys)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(spearmanr(xs, ys).statistic, abs=1e-9)


def test_only_the_order_counts() -> None:
    assert rank_correlation([1, 2, 3], [0.1, 1, 1000]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [9, 4, 1]) == pytest.approx(-1)


def test_nothing_has_no_order_and_unequal_lengths_are_an_error() -> None:
    assert rank_correlation([], []) is None
    with pytest.raises(ValueError, match="2 values against 1"):
        rank_correlation([1, 2], [1])
