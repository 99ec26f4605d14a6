"""The interval of a share, against its definition and exact probabilities."""

from __future__ import annotations

import math

import pytest

from vsgen.metrics.shares import wilson


@pytest.mark.parametrize(("count", "of"), [(0, 10), (1, 8), (14, 100), (50, 100), (100, 100)])
def test_the_ends_are_the_shares_that_are_two_standard_errors_from_what_was_counted(count: int, of: int) -> None:
    for end in wilson(count / of, of):
        distance = abs(count / of - end)
        assert distance == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / of), abs=1e-9)


@pytest.mark.parametrize("p", [0.05, 0.2, 0.5])
def test_it_holds_the_share_in_about_95_of_100_samples(p: float) -> None:
    n = 100
    held = sum(
        math.comb(n, k) * p**k * (1 - p) ** (n - k)
        for k in range(n + 1)
        if wilson(k / n, n)[0] <= p <= wilson(k / n, n)[1]
    )
    assert 0.93 < held < 0.98
