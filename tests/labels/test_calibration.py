"""Calibration of labels: what was put in is taken out again, exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.errors import OptionError
from vsgen.labels.calibration import (
    COLDEST,
    HOTTEST,
    Fitted,
    batch_prior,
    cross_fitted,
    divide,
    fit_temperature,
    skew,
    tempered,
)
from vsgen.probability import softmax

BIAS = (0.8, -0.5, 0.0)


def rows_of(n: int, k: int, seed: int = 0, alpha: float = 0.7) -> list[list[float]]:
    found: list[list[float]] = np.random.default_rng(seed).dirichlet([alpha] * k, n).tolist()
    return found


def graded(n: int) -> tuple[list[list[float]], list[int]]:
    """Rows of which three in four have their likeliest class."""
    rows = rows_of(n, 3)
    return rows, [row.index(max(row) if i % 4 else min(row)) for i, row in enumerate(rows)]


def balanced(n: int, alpha: float = 0.7) -> list[list[float]]:
    """Rows of three classes in all rotations, so that their mean is even."""
    return [row[at:] + row[:at] for row in rows_of(n, 3, alpha=alpha) for at in range(3)]


def biased(rows: list[list[float]], bias: tuple[float, ...] = BIAS) -> list[list[float]]:
    return [softmax([math.log(p) + b for p, b in zip(row, bias, strict=True)]) for row in rows]


def centred(logs: list[float]) -> list[float]:
    return [one - sum(logs) / len(logs) for one in logs]


def corrected(row: list[float], prior: list[float]) -> list[float]:
    return softmax(divide([math.log(p) if p else -math.inf for p in row], prior))


# --- priors


def test_division_is_subtraction_of_logarithms_and_a_prior_of_nothing_corrects_nothing() -> None:
    assert divide([-1.0, -2.0, -math.inf], [-0.5, -math.inf, -1.0]) == [-0.5, -2.0, -math.inf]


def test_the_batch_prior_is_the_mean_of_the_probabilities() -> None:
    rows = [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]]
    assert batch_prior(rows) == pytest.approx([math.log(0.5), math.log(0.5)])
    assert batch_prior([[1.0, 0.0]]) == [0.0, -math.inf]


def test_one_step_recovers_a_bias_where_texts_say_nothing_of_their_class() -> None:
    rows = biased([[1 / 3] * 3] * 4)
    assert centred(batch_prior(rows)) == pytest.approx(centred(list(BIAS)), abs=1e-12)


def test_further_steps_recover_a_bias_on_a_balanced_set_whatever_its_texts_say() -> None:
    rows = balanced(40)
    once, often = batch_prior(biased(rows)), batch_prior(biased(rows), steps=50)
    assert max(abs(a - b) for a, b in zip(centred(once), centred(list(BIAS)), strict=True)) > 0.1
    assert centred(often) == pytest.approx(centred(list(BIAS)), abs=1e-2)
    for row, found in zip(rows, biased(rows), strict=True):
        assert corrected(found, often) == pytest.approx(row, abs=1e-2)


def test_every_step_makes_the_mean_more_even() -> None:
    rows = biased(balanced(20), (2.0, 0.0, 0.0))
    evenness = [skew([corrected(row, batch_prior(rows, steps=n)) for row in rows]).evenness for n in range(1, 6)]
    assert [skew(rows).evenness, *evenness] == sorted([skew(rows).evenness, *evenness])
    assert evenness[0] > skew(rows).evenness


def test_a_class_that_no_text_has_stays_without_probability() -> None:
    rows = [[0.8, 0.2, 0.0], [0.6, 0.4, 0.0]]
    prior = batch_prior(rows, steps=5)
    assert prior[2] == -math.inf
    assert all(corrected(row, prior)[2] == 0 for row in rows)


def test_a_skewed_set_warns_and_names_its_classes() -> None:
    found = skew([[0.9, 0.06, 0.04]] * 10)
    assert found.uneven
    warning = found.warning(("billing", "bug", "how-to"))
    assert warning is not None
    assert "(billing 0.90, bug 0.06, how-to 0.04)" in warning
    assert "leave it out unless" in warning
    many = skew([[0.9, *[0.01] * 10]]).warning([f"c{i}" for i in range(11)])
    assert many is not None
    assert "(c0 0.90, c1 0.01, c2 0.01, ...)" in many


def test_an_even_set_does_not_warn() -> None:
    found = skew(balanced(10))
    assert found.evenness == pytest.approx(1)
    assert found.warning(("a", "b", "c")) is None


@pytest.mark.parametrize(("share", "uneven"), [(0.68, False), (0.69, True), (0.31, True)])
def test_two_classes_are_uneven_from_about_two_to_one(share: float, uneven: bool) -> None:
    assert skew([[share, 1 - share]]).uneven is uneven


@pytest.mark.parametrize(("rows", "got"), [([], "no text"), ([[0.5, 0.5], [0.2, 0.3, 0.5]], "with 2 and 3 classes")])
def test_batch_calibration_needs_the_same_classes_everywhere(rows: list[list[float]], got: str) -> None:
    for use in (batch_prior, skew):
        with pytest.raises(OptionError, match=f"batch calibration: needs the same classes.*{got}"):
            use(rows)


# --- temperature


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
