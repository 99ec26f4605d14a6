"""Sets of classes: they hold the right class as often as they say."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from tests.labels.test_scaling import TEACHERS, said, world
from vsgen.labels.conformal import Sets, fewest, fit_sets
from vsgen.labels.scaling import Scaling, fit_scaling


def covered(teacher: str, n: int, level: float, seed: int, *, soft: bool) -> tuple[float, float]:
    """Share of 200 new rows whose set holds the right class, and the mean size."""
    truth, gold, rng = world(n + 200, seed)
    rows = said(teacher, truth, rng)
    right = truth if soft else gold
    sets = fit_sets(rows[:n].tolist(), right[:n].tolist(), level)
    held = [sets(row) for row in rows[n:].tolist()]
    hits = [sum(share[at] for at in one) for one, share in zip(held, right[n:].tolist(), strict=True)]
    return float(np.mean(hits)), float(np.mean([len(one) for one in held]))


@pytest.mark.slow
@pytest.mark.parametrize("soft", [False, True], ids=["classes", "distributions"])
@pytest.mark.parametrize(("n", "level"), [(12, 0.9), (61, 0.9), (40, 0.7)])
@pytest.mark.parametrize("teacher", ["random", "over-confident", "perfect", "classes swapped"])
def test_sets_hold_the_right_class_at_least_as_often_as_they_say(
    teacher: str, n: int, level: float, soft: bool
) -> None:
    found = [covered(teacher, n, level, seed, soft=soft)[0] for seed in range(25)]
    assert np.mean(found) >= level - 2 * np.std(found) / math.sqrt(25)


def test_the_sets_of_a_good_teacher_are_smaller() -> None:
    sizes = {
        teacher: np.mean([covered(teacher, 60, 0.8, seed, soft=False)[1] for seed in range(5)])
        for teacher in ("perfect", "random")
    }
    assert sizes["perfect"] < sizes["random"] - 0.3


def test_of_rows_that_choose_so_many_miss_as_the_level_allows_and_one_more_would_be_too_many() -> None:
    rng = np.random.default_rng(0)
    rows = rng.dirichlet([1.0] * 3, 41).tolist()
    gold = np.eye(3)[rng.integers(3, size=41)].tolist()
    sets = fit_sets(rows, gold, 0.75)
    others = [i for i in range(41) if not (i + 1) * 20 // 41 > i * 20 // 41]
    assert sets.scaling == fit_scaling([rows[i] for i in others], [gold[i] for i in others])
    chosen = [i for i in range(41) if i not in others]
    scaled = [sets.scaling(rows[i])[gold[i].index(1)] for i in chosen]
    missed = sum(p < sets.least for p in scaled)
    assert (missed + 1) / 21 <= 0.25 < (missed + 1 + scaled.count(sets.least)) / 21


def test_the_likeliest_class_is_always_in_the_set() -> None:
    sets = Sets(Scaling((), 1.0), 0.9)
    assert sets([0.5, 0.3, 0.2]) == [0]
    assert sets([0.4, 0.2, 0.4]) == [0, 2]
    assert Sets(Scaling((), 1.0), 0.25)([0.5, 0.3, 0.2]) == [0, 1]


@pytest.mark.parametrize(("level", "rows"), [(0.5, 2), (0.8, 5), (0.9, 10), (0.95, 20), (0.99, 100)])
def test_a_level_needs_as_many_rows_as_let_none_be_missed(level: float, rows: int) -> None:
    assert fewest(level) == rows
    exact = Fraction(str(level))
    assert Fraction(1, rows) <= 1 - exact < Fraction(1, rows - 1)
    some = [[0.6, 0.4]] * rows
    assert len(fit_sets(some, [[0.0, 1.0]] * rows, level)([0.6, 0.4])) >= 1
    with pytest.raises(ValueError, match=f"need at least {rows} rows, got {rows - 1}"):
        fit_sets(some[1:], [[0.0, 1.0]] * (rows - 1), level)


def test_rows_that_differ_in_their_classes_may_have_sets() -> None:
    rows = [[0.9, 0.1], [0.3, 0.3, 0.4]] * 10
    sets = fit_sets(rows, [[1.0, 0.0], [0.0, 0.0, 1.0]] * 10, 0.8, biased=False)
    assert 0 in sets([0.9, 0.1])


def test_every_teacher_of_the_scaling_is_known() -> None:
    assert {"random", "over-confident", "perfect", "classes swapped"} <= set(TEACHERS)
