"""The temperature of labels: what was put in is taken out again, exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.labels.temperature import COLDEST, HOTTEST, Fitted, cross_fitted, fit_temperature, tempered


def rows_of(n: int, k: int, seed: int = 0, alpha: float = 0.7) -> list[list[float]]:
    found: list[list[float]] = np.random.default_rng(seed).dirichlet([alpha] * k, n).tolist()
    return found


def graded(n: int) -> tuple[list[list[float]], list[int]]:
    """Rows of which three in four have their likeliest class."""
    rows = rows_of(n, 3)
    return rows, [row.index(max(row) if i % 4 else min(row)) for i, row in enumerate(rows)]


def test_temperature_one_changes_no_bit_and_zero_stays_zero() -> None:
    row = [0.1, 0.2, 0.7, 0.0]
    assert tempered(row, 1.0) == row
    assert tempered(row, 3.0)[3] == 0
    assert tempered(row, 0.3)[3] == 0


@given(st.lists(st.floats(1e-6, 1), min_size=2, max_size=6), st.floats(COLDEST, HOTTEST))
def test_tempering_raises_to_a_power_and_is_undone_by_the_inverse(weights: list[float], temperature: float) -> None:
    row = [one / sum(weights) for one in weights]
    powers = [p ** (1 / temperature) for p in row]
    found = tempered(row, temperature)
    assert found == pytest.approx([one / sum(powers) for one in powers], rel=1e-9, abs=1e-300)
    assert math.fsum(found) == pytest.approx(1)
    if min(found) > 1e-200:
        assert tempered(found, 1 / temperature) == pytest.approx(row, rel=1e-6)


def expected(rows: list[list[float]], temperature: float) -> tuple[list[list[float]], list[int], list[float]]:
    """Every row with every class, weighted by p^(1/T): what infinitely many draws would be."""
    cases = [(row, at, p) for row in rows for at, p in enumerate(tempered(row, temperature))]
    return [row for row, _, _ in cases], [at for _, at, _ in cases], [p for _, _, p in cases]


@pytest.mark.parametrize("true", [0.1, 0.5, 1.0, 1.7, 8.0])
def test_the_temperature_of_the_draws_is_found(true: float) -> None:
    rows = [*rows_of(12, 3), *rows_of(5, 2, seed=1), *rows_of(5, 5, seed=2), [1.0]]
    made, gold, weights = expected(rows, true)
    found = fit_temperature(made, gold, weights=weights)
    assert found.temperature == pytest.approx(true, abs=1e-4)
    assert not found.at_bound


def test_the_error_of_a_temperature_is_its_closed_form_of_two_classes() -> None:
    made, gold, weights = expected([[0.8, 0.2]], 2.0)
    (p, q), logit = tempered([0.8, 0.2], 2.0), math.log(4)
    found = fit_temperature(made, gold, weights=[weight * 50 for weight in weights])
    assert found.error == pytest.approx(4 / math.sqrt(50 * p * q * logit**2), rel=1e-6)


def test_the_error_of_a_temperature_is_how_much_it_varies_from_sample_to_sample() -> None:
    rows, rng = rows_of(400, 3), np.random.default_rng(0)
    drawn = [[int(rng.choice(3, p=tempered(row, 1.5))) for row in rows] for _ in range(200)]
    found = [fit_temperature(rows, gold) for gold in drawn]
    spread = float(np.std([one.temperature for one in found], ddof=1))
    stated = float(np.mean([one.error for one in found if one.error is not None]))
    assert stated == pytest.approx(spread, abs=3 * spread / math.sqrt(2 * 200))  # three standard errors of a spread


def test_weights_count_like_repeated_rows() -> None:
    rows, gold = rows_of(10, 3), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    weights = [1.0, 2.0, 3.0] * 3 + [1.0]
    repeated = [i for i, weight in enumerate(weights) for _ in range(int(weight))]
    one = fit_temperature(rows, gold, weights=weights)
    other = fit_temperature([rows[i] for i in repeated], [gold[i] for i in repeated])
    assert one.temperature == pytest.approx(other.temperature, rel=1e-9)


@pytest.mark.parametrize(
    ("rows", "gold", "found"),
    [
        ([[1 - 1e-9, 1e-9], [0.7, 0.3]], [0, 0], Fitted(COLDEST, at_bound=True)),
        ([[1 - 1e-9, 1e-9]], [0], Fitted(COLDEST, at_bound=True)),
        ([[0.7, 0.3], [0.6, 0.4]], [1, 1], Fitted(HOTTEST, at_bound=True)),
        ([[0.7, 0.3]], [0], Fitted(COLDEST, at_bound=True)),
        ([[0.7, 0.3]], [1], Fitted(HOTTEST, at_bound=True)),
        ([[0.5, 0.5], [1 / 3] * 3, [1.0]], [1, 2, 0], Fitted(1.0, at_bound=False)),
        ([[1.0, 0.0]], [0], Fitted(1.0, at_bound=False)),
        ([[1.0, 0.0]], [1], Fitted(1.0, at_bound=False)),
        ([], [], Fitted(1.0, at_bound=False)),
    ],
    ids=[
        "all right", "sure and right", "all wrong", "one right", "one wrong", "same at every T", "certain",
        "impossible", "no row",
    ],
)  # fmt: skip
def test_rows_that_do_not_fix_a_temperature_end_at_a_bound_or_change_nothing(
    rows: list[list[float]], gold: list[int], found: Fitted
) -> None:
    assert fit_temperature(rows, gold) == found


def test_a_right_class_of_probability_zero_does_not_move_the_temperature() -> None:
    rows, gold, weights = expected(rows_of(12, 3), 1.7)
    more = fit_temperature([*rows, [1.0, 0.0]], [*gold, 1], weights=[*weights, 5.0])
    assert more == fit_temperature(rows, gold, weights=weights)


def test_every_row_has_the_temperature_of_the_other_folds() -> None:
    rows, gold = graded(23)
    found = cross_fitted(rows, gold, 4)
    for at, row in enumerate(found):
        others = [i for i in range(23) if i % 4 != at % 4]
        alone = fit_temperature([rows[i] for i in others], [gold[i] for i in others])
        assert row == tempered(rows[at], alone.usable)


def test_a_rows_own_class_does_not_move_it() -> None:
    rows, gold = graded(20)
    other = [*gold[:7], (gold[7] + 1) % 3, *gold[8:]]
    assert cross_fitted(rows, gold)[7] == cross_fitted(rows, other)[7]
    assert cross_fitted(rows, gold)[8] != cross_fitted(rows, other)[8]


def test_fewer_rows_than_folds_leave_one_out_and_a_single_row_is_left_as_it_is() -> None:
    rows, gold = [[0.7, 0.3], [0.6, 0.4], [0.2, 0.8]], [0, 1, 1]
    found = cross_fitted(rows, gold, 5)
    for at in range(3):
        others = [i for i in range(3) if i != at]
        alone = fit_temperature([rows[i] for i in others], [gold[i] for i in others])
        assert found[at] == tempered(rows[at], alone.usable)
    assert cross_fitted(rows[:1], gold[:1]) == rows[:1]
    assert cross_fitted([], []) == []


def test_rows_of_a_group_are_held_out_together() -> None:
    rows, gold = graded(20)
    groups = [f"text {i // 2}" for i in range(20)]
    found = cross_fitted(rows, gold, 5, groups=groups)
    others = [i for i in range(20) if (i // 2) % 5 != 0]
    alone = fit_temperature([rows[i] for i in others], [gold[i] for i in others])
    assert [found[i] for i in (0, 1, 10, 11)] == [tempered(rows[i], alone.usable) for i in (0, 1, 10, 11)]
