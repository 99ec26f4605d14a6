"""Calibration figures against closed forms, and against scikit-learn and scipy."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import TypeAlias

import numpy as np
import pytest
from sklearn.calibration import calibration_curve  # type: ignore[import-untyped]
from sklearn.metrics import brier_score_loss  # type: ignore[import-untyped]
from sklearn.metrics import log_loss as sklearn_log_loss

from vsgen.metrics.calibration import (
    Bin,
    Estimate,
    Rows,
    accuracy,
    brier,
    expected_calibration_error,
    log_loss,
    one_hot,
    quality,
    ranked_probability_score,
    reliability,
    unnormalised_error,
)

Score: TypeAlias = Callable[[Rows, Rows], Estimate]
SCORES: tuple[Score, ...] = (log_loss, brier, ranked_probability_score)
UNEQUAL = ([1.0], [0.5, 0.5], [0.2, 0.3, 0.5])


def drawn(n: int, k: int, seed: int = 0) -> tuple[list[list[float]], list[list[float]]]:
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet([0.5] * k, n)
    return rows.tolist(), np.eye(k)[rng.integers(k, size=n)].tolist()


def hot(rows: Rows, *right: int) -> list[list[float]]:
    """Gold of rows whose right class has this place."""
    return [one_hot(at, len(row)) for row, at in zip(rows, right, strict=True)]


def test_scores_are_their_closed_forms_on_rows_with_different_numbers_of_classes() -> None:
    gold = hot(UNEQUAL, 0, 1, 0)
    assert log_loss(UNEQUAL, gold).value == pytest.approx((0 + math.log(2) - math.log(0.2)) / 3)
    assert brier(UNEQUAL, gold).value == pytest.approx((0 + 0.5 + (0.64 + 0.09 + 0.25)) / 3)
    assert ranked_probability_score(UNEQUAL, gold).value == pytest.approx((0 + 0.25 + (0.64 + 0.25) / 2) / 3)
    assert accuracy(UNEQUAL, gold).value == pytest.approx(1 / 3)


def test_the_first_of_equally_likely_classes_is_the_likeliest() -> None:
    assert accuracy([[0.4, 0.4, 0.2]], [[1, 0, 0]]).value == 1
    assert accuracy([[0.4, 0.4, 0.2]], [[0, 1, 0]]).value == 0


def test_standard_errors_are_those_of_a_mean() -> None:
    rows, gold = [[0.5, 0.5], [0.25, 0.75]], [[1, 0], [1, 0]]
    losses = math.log(2), math.log(4)
    expected = math.sqrt(sum((one - sum(losses) / 2) ** 2 for one in losses)) / math.sqrt(2)
    assert log_loss(rows, gold).error == pytest.approx(expected)
    assert log_loss(rows[:1], gold[:1]).error is None


def test_scikit_learn_finds_the_same_log_loss_and_brier_score() -> None:
    rows, gold = drawn(500, 4)
    hits = np.array(gold)
    places = hits.argmax(axis=1)
    assert log_loss(rows, gold).value == pytest.approx(sklearn_log_loss(places, rows, labels=range(4)), rel=1e-12)
    assert brier(rows, gold).value == pytest.approx(((np.array(rows) - hits) ** 2).sum(1).mean(), rel=1e-12)
    two, sides = drawn(500, 2)
    assert brier(two, sides).value == pytest.approx(
        2 * brier_score_loss([side[1] for side in sides], [row[1] for row in two], scale_by_half=True), rel=1e-12
    )


@pytest.mark.parametrize("score", SCORES)
def test_only_the_true_distribution_has_the_least_expected_score(score: Score) -> None:
    truth = (0.2, 0.5, 0.3)

    def expected(stated: tuple[float, ...]) -> float:
        return sum(p * score([list(stated)], [one_hot(i, 3)]).value for i, p in enumerate(truth))

    grid = [i / 20 for i in range(1, 20)]
    others = [(a, b, 1 - a - b) for a, b in product(grid, grid) if a + b < 0.99 and (a, b) != truth[:2]]
    assert all(expected(other) > expected(truth) for other in others)


def test_ranked_probability_score_is_half_the_brier_score_of_two_classes_and_heeds_the_order_of_more() -> None:
    rows, gold = drawn(50, 2)
    assert ranked_probability_score(rows, gold).value == pytest.approx(brier(rows, gold).value / 2)
    near, far = [[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]
    assert brier(near, [[1, 0, 0]]).value == brier(far, [[1, 0, 0]]).value
    assert ranked_probability_score(near, [[1, 0, 0]]).value < ranked_probability_score(far, [[1, 0, 0]]).value == 1


def test_a_right_class_of_probability_zero_makes_the_log_loss_infinite_and_is_counted() -> None:
    found = quality([[1.0, 0.0], [0.5, 0.5], [1.0, 0.0]], [[0, 1], [1, 0], [0, 1]])
    assert found.log_loss == Estimate(math.inf, None)
    assert found.impossible == 2
    assert found.brier.value == pytest.approx(4.5 / 3)


def test_a_row_is_in_the_bin_whose_upper_edge_it_meets() -> None:
    found = reliability([[0.6, 0.4], [0.61, 0.39], [1.0, 0.0]], [[1, 0], [0, 1], [1, 0]], bins=5)
    assert found.bins == (Bin(0.4, 0.6, 1, 0.6, 1.0), Bin(0.6, 0.8, 1, 0.61, 0.0), Bin(0.8, 1.0, 1, 1.0, 1.0))
    assert found.n == 3
    assert found.error == pytest.approx((0.4 + 0.61 + 0) / 3)


def test_a_confidence_that_rounding_leaves_above_one_is_in_the_last_bin() -> None:
    assert reliability([[1.0000000000000002, 0.0]], [[1, 0]], bins=4).bins[0].upper == 1


def test_calibration_error_is_nothing_where_confidence_is_accuracy_and_all_where_the_sure_are_wrong() -> None:
    rows = [[0.75, 0.25]] * 4
    assert expected_calibration_error(rows, hot(rows, 0, 0, 0, 1)) == pytest.approx(0)
    assert expected_calibration_error([[1.0, 0.0]] * 3, [[0, 1]] * 3) == pytest.approx(1)


def test_bins_are_those_of_scikit_learn() -> None:
    rows, gold = drawn(1000, 3)
    found = reliability(rows, gold, bins=10).bins
    hits = [row.index(max(row)) == right.index(1) for row, right in zip(rows, gold, strict=True)]
    accuracies, confidences = calibration_curve(hits, [max(row) for row in rows], n_bins=10)
    assert [one.accuracy for one in found] == pytest.approx(accuracies.tolist(), abs=1e-12)
    assert [one.confidence for one in found] == pytest.approx(confidences.tolist(), abs=1e-12)


def test_figures_do_not_depend_on_the_order_of_the_rows() -> None:
    rows, gold = drawn(300, 3)
    back = reliability(rows[::-1], gold[::-1])
    for one, other in zip(reliability(rows, gold).bins, back.bins, strict=True):
        assert (one.lower, one.upper, one.count) == (other.lower, other.upper, other.count)
        assert (one.confidence, one.accuracy) == pytest.approx((other.confidence, other.accuracy))
    assert quality(rows, gold).log_loss.value == quality(rows[::-1], gold[::-1]).log_loss.value


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        quality([], [])
    with pytest.raises(ValueError, match="each of the row's 2 classes, got 3"):
        brier([[0.5, 0.5]], [[0, 0, 1]])
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        brier([[0.5, 0.5]] * 2, [[0, 1]])


def test_gold_that_is_a_distribution_counts_as_the_mean_over_classes_drawn_from_it() -> None:
    rows, shares = [[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]], [0.5, 0.3, 0.2]
    for score in (*SCORES, accuracy):
        alone = [score(rows, [one_hot(at, 3)] * 2).value for at in range(3)]
        assert score(rows, [shares] * 2).value == pytest.approx(np.dot(shares, alone), rel=1e-12)
    assert reliability(rows, [shares] * 2, bins=1).bins[0].accuracy == pytest.approx((0.5 + 0.2) / 2)


def test_probabilities_that_are_not_normalised_are_less_sure_by_the_label_mass() -> None:
    rows, gold = drawn(300, 3)
    assert unnormalised_error(rows, gold, [1.0] * 300) == quality(rows, gold).smooth
    assert unnormalised_error([[0.8, 0.2]] * 10, [[1, 0]] * 10, [0.5] * 10) == pytest.approx(0.6, abs=0.01)
