"""Vector scaling: never worse than the class prior, whatever the teacher says."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from vsgen.labels import scaling as module
from vsgen.labels.scaling import FLOOR, Scaling, cross_scaled, fit_scaling
from vsgen.probability import PSEUDOCOUNT

Table: TypeAlias = NDArray[np.float64]
Teacher: TypeAlias = Callable[[Table, np.random.Generator], Table]

PRIOR = (1.0, 0.6, 0.4)


def world(n: int, seed: int) -> tuple[Table, Table, np.random.Generator]:
    """[n, 3] true posteriors, and classes drawn from them, one-hot."""
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(PRIOR, n)
    return truth, np.eye(3)[[int(rng.choice(3, p=row)) for row in truth]], rng


TEACHERS: dict[str, Teacher] = {
    "random": lambda truth, rng: rng.dirichlet([0.5] * 3, len(truth)),
    "constant": lambda truth, _: np.tile([0.8, 0.1, 0.1], (len(truth), 1)),
    "classes swapped": lambda truth, _: np.roll(truth, 1, axis=1),
    "upside down": lambda truth, _: 1 / (truth + 0.01),
    "over-confident": lambda truth, _: truth**4,
    "biased": lambda truth, _: truth * np.exp([-3, 0, 3]),
    "perfect": lambda truth, _: truth,
    "with zeros": lambda truth, _: np.where(truth < 0.1, 0, truth),
}


def said(teacher: str, truth: Table, rng: np.random.Generator) -> Table:
    found: Table = TEACHERS[teacher](truth, rng).copy()
    found /= found.sum(axis=1, keepdims=True)
    return found


def applied(found: Scaling, rows: Table) -> Table:
    return np.array([found(row) for row in rows.tolist()])


def loss(probs: Table, gold: Table) -> float:
    return float(-(gold * np.log(probs)).sum(axis=1).mean())


def prior_loss(known: Table, gold: Table) -> float:
    """The log loss of the smoothed shares of the rows that are fitted to."""
    shares = (known.sum(axis=0) + PSEUDOCOUNT) / (len(known) + PSEUDOCOUNT * known.shape[1])
    return float(-(gold @ np.log(shares)).mean())


def skills(teacher: str, n: int, seeds: int, held_out: int = 300) -> list[float]:
    """On rows that were not fitted to, by seed."""
    found = []
    for seed in range(seeds):
        truth, gold, rng = world(n + held_out, seed)
        rows = said(teacher, truth, rng)
        fitted = fit_scaling(rows[:n].tolist(), gold[:n].tolist())
        found.append(1 - loss(applied(fitted, rows[n:]), gold[n:]) / prior_loss(gold[:n], gold[n:]))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 20, 100])
@pytest.mark.parametrize("teacher", TEACHERS)
def test_no_teacher_is_worse_than_the_prior_on_held_out_rows(teacher: str, n: int) -> None:
    found = skills(teacher, n, 25)
    error = float(np.std(found)) / math.sqrt(len(found))
    assert float(np.mean(found)) >= -2 * error - 1e-3


def test_what_says_nothing_of_the_classes_or_the_wrong_thing_ends_at_the_prior() -> None:
    for teacher in ("constant", "classes swapped", "upside down"):
        truth, gold, rng = world(100, 0)
        found = fit_scaling(said(teacher, truth, rng).tolist(), gold.tolist())
        shares = (gold.sum(axis=0) + PSEUDOCOUNT) / (100 + 3 * PSEUDOCOUNT)
        assert found.power == 0
        assert found([0.2, 0.7, 0.1]) == pytest.approx(shares.tolist(), rel=1e-9)


def test_a_perfect_teacher_is_hardly_harmed() -> None:
    truth, gold, _ = world(2500, 1)
    found = fit_scaling(truth[:500].tolist(), gold[:500].tolist())
    assert found.power == pytest.approx(1, abs=0.2)
    assert loss(applied(found, truth[500:]), gold[500:]) < loss(truth[500:], gold[500:]) * 1.03


def test_a_good_teacher_is_left_as_it_is_unless_it_claims_impossibilities() -> None:
    rng = np.random.default_rng(1)
    truth = 0.94 * rng.dirichlet([0.1] * 3, 30) + 0.02
    gold = np.eye(3)[[int(rng.choice(3, p=row)) for row in truth]].tolist()
    assert fit_scaling(truth.tolist(), gold) == Scaling((0.0, 0.0, 0.0), 1.0)
    sure = np.where(truth < 0.03, 0, truth)
    assert fit_scaling((sure / sure.sum(axis=1, keepdims=True)).tolist(), gold).power != 1


def test_a_bias_and_a_temperature_of_the_teacher_are_taken_back() -> None:
    truth, _, _ = world(400, 2)
    rows = truth**2 * np.exp([-3, 0, 3])
    rows /= rows.sum(axis=1, keepdims=True)
    assert rows.min() > 1e-30
    kept = rows.min(axis=1) > FLOOR
    found = fit_scaling(rows[kept].tolist(), truth[kept].tolist())
    assert found.power == pytest.approx(0.5, abs=0.02)
    gaps = np.diff(found.bias)
    assert gaps.tolist() == pytest.approx([-1.5, -1.5], abs=0.1)


def test_neither_a_preference_nor_the_temperature_of_a_teacher_makes_a_difference() -> None:
    truth, gold, _ = world(60, 3)
    truth = 0.9 * truth + 0.1 / 3
    other = truth**1.5 * np.exp([1, -2, 0])
    other /= other.sum(axis=1, keepdims=True)
    one = applied(fit_scaling(truth.tolist(), gold.tolist()), truth)
    assert applied(fit_scaling(other.tolist(), gold.tolist()), other) == pytest.approx(one, abs=1e-6)


def test_the_gradient_of_the_penalised_loss_is_zero_at_the_fit_and_is_its_derivative() -> None:
    truth, gold, _ = world(40, 4)
    data = module._Data.of(truth.tolist(), gold.tolist(), biased=True)  # the law of the fit itself
    centred, _ = data._centred()
    problem = module._Problem(centred / centred.std(), data)
    place = problem.minimum(problem.prior(), 0.05)
    assert np.abs(problem.at(place, 0.05).gradient).max() < 1e-8
    there = place + np.array([0.3, 0.2, -0.5, 0.1])
    for i, step in enumerate(np.eye(4) * 1e-5):
        slope = (problem.at(there + step, 0.05).loss - problem.at(there - step, 0.05).loss) / 2e-5
        assert problem.at(there, 0.05).gradient[i] == pytest.approx(slope, abs=1e-7)
        change = (problem.at(there + step, 0.05).gradient - problem.at(there - step, 0.05).gradient) / 2e-5
        gauge = np.concatenate([[0], np.full(3, 1 / 3)]) * (i > 0)
        assert problem.at(there, 0.05).curvature[i] == pytest.approx(change + gauge, abs=1e-6)


def test_the_order_of_the_classes_makes_no_difference() -> None:
    truth, gold, _ = world(50, 5)
    order = [2, 0, 1]
    one = fit_scaling(truth.tolist(), gold.tolist())
    other = fit_scaling(truth[:, order].tolist(), gold[:, order].tolist())
    assert other.power == pytest.approx(one.power, abs=1e-8)
    assert other.bias == pytest.approx([one.bias[i] for i in order], abs=1e-8)


def test_a_distribution_counts_as_its_classes_in_these_shares() -> None:
    rows = [[0.7, 0.3], [0.4, 0.6], [0.2, 0.8], [0.8, 0.2]] * 5
    soft = fit_scaling(rows, [[0.75, 0.25], [0.5, 0.5], [0.25, 0.75], [0.75, 0.25]] * 5)
    hot = [[0.75, 0.25] if i % 2 else [0.5, 0.5] for i in range(20)]
    assert soft.power > 0
    assert fit_scaling(rows, hot) != soft


def test_a_class_that_never_is_right_keeps_a_probability() -> None:
    rows = [[0.5, 0.3, 0.2], [0.3, 0.5, 0.2]] * 10
    found = fit_scaling(rows, [[1, 0, 0], [0, 1, 0]] * 10)
    assert min(found([0.5, 0.3, 0.2])) > 0.01


def test_few_rows_that_are_all_right_make_no_certainty() -> None:
    found = fit_scaling([[0.99, 0.01], [0.01, 0.99]] * 4, [[1, 0], [0, 1]] * 4)
    assert 0.7 < found([0.99, 0.01])[0] < 0.98


def test_a_single_row_leaves_the_smoothed_prior() -> None:
    found = fit_scaling([[0.9, 0.1]], [[1, 0]])
    assert found.power == 0
    assert found([0.1, 0.9]) == pytest.approx([0.75, 0.25])
    with pytest.raises(ValueError, match="at least one row"):
        fit_scaling([], [])


def test_a_probability_below_the_floor_counts_as_the_floor() -> None:
    found = Scaling((0.0, 0.0), 0.5)
    assert found([1.0, 0.0]) == found([1.0, FLOOR / 10]) == pytest.approx([1 / (1 + FLOOR**0.5), 1 - found([1, 0])[0]])


def test_rows_that_differ_in_their_classes_get_a_power_alone() -> None:
    truth, gold, _ = world(200, 6)
    two = [[0.9, 0.1], [0.2, 0.8], [1.0]]
    sharp = truth**2 / (truth**2).sum(axis=1, keepdims=True)
    found = fit_scaling([*sharp.tolist(), *two], [*truth.tolist(), [0.75, 0.25], [1 / 3, 2 / 3], [1.0]], biased=False)
    assert found.bias == ()
    assert found.power == pytest.approx(0.5, abs=0.05)
    worthless = fit_scaling(np.roll(sharp, 1, axis=1).tolist(), gold.tolist(), biased=False)
    assert worthless([0.7, 0.3]) == [0.5, 0.5]
    with pytest.raises(ValueError, match="differ in their classes"):
        fit_scaling(two, two)


def test_gold_needs_a_share_for_each_class() -> None:
    with pytest.raises(ValueError, match="each of the row's 2 classes"):
        fit_scaling([[0.5, 0.5]], [[1.0]])


def test_every_row_is_scaled_by_what_is_fitted_to_the_other_folds() -> None:
    truth, gold, _ = world(33, 7)
    rows, right = truth.tolist(), gold.tolist()
    found = cross_scaled(rows, right, 4)
    for fold in range(4):
        others = [i for i in range(33) if i % 4 != fold]
        alone = fit_scaling([rows[i] for i in others], [right[i] for i in others], folds=4)
        for i in range(fold, 33, 4):
            assert found[i] == alone(rows[i])


def test_a_rows_own_gold_does_not_move_it() -> None:
    truth, gold, _ = world(20, 8)
    other = gold.copy()
    other[7] = np.roll(gold[7], 1)
    one, two = (cross_scaled(truth.tolist(), right.tolist()) for right in (gold, other))
    assert one[7] == two[7]
    assert one[8] != two[8]


def test_rows_of_a_group_are_held_out_together() -> None:
    truth, gold, _ = world(20, 9)
    rows, right, groups = truth.tolist(), gold.tolist(), [f"text {i // 2}" for i in range(20)]
    found = cross_scaled(rows, right, 5, groups=groups)
    others = [i for i in range(20) if (i // 2) % 5 != 0]
    alone = fit_scaling([rows[i] for i in others], [right[i] for i in others], groups=[groups[i] for i in others])
    assert [found[i] for i in (0, 1, 10, 11)] == [alone(rows[i]) for i in (0, 1, 10, 11)]


def test_a_single_row_has_no_others_to_be_scaled_by_and_gets_equal_shares() -> None:
    assert cross_scaled([[0.7, 0.3]], [[1.0, 0.0]]) == [[0.5, 0.5]]
    assert cross_scaled([], []) == []
