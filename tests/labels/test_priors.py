"""Priors of labels: a preference that was put in is taken out again, exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vsgen.errors import OptionError
from vsgen.labels.priors import batch_prior, divide, skew
from vsgen.probability import softmax

BIAS = (0.8, -0.5, 0.0)


def rows_of(n: int, k: int, seed: int = 0, alpha: float = 0.7) -> list[list[float]]:
    found: list[list[float]] = np.random.default_rng(seed).dirichlet([alpha] * k, n).tolist()
    return found


def balanced(n: int, alpha: float = 0.7) -> list[list[float]]:
    """Rows of three classes in all rotations, so that their mean is even."""
    return [row[at:] + row[:at] for row in rows_of(n, 3, alpha=alpha) for at in range(3)]


def biased(rows: list[list[float]], bias: tuple[float, ...] = BIAS) -> list[list[float]]:
    return [softmax([math.log(p) + b for p, b in zip(row, bias, strict=True)]) for row in rows]


def centred(logs: list[float]) -> list[float]:
    return [one - sum(logs) / len(logs) for one in logs]


def corrected(row: list[float], prior: list[float]) -> list[float]:
    return softmax(divide([math.log(p) if p else -math.inf for p in row], prior))


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
