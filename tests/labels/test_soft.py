"""Soft labels against closed forms."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.labels.settings import Kind
from vsgen.labels.soft import (
    corrected,
    distributions,
    entropy,
    kind_of,
    label_of,
    mixture,
    multi_label,
    mutual_information,
    ordinal_label,
    redistributed,
    soft_label,
)

PROBS = {"billing": 0.5, "bug": 0.125, "how-to": 0.375}
KINDS: tuple[Kind, ...] = ("nominal", "ordinal", "multi")


def simplex(low: int = 2, high: int = 6) -> st.SearchStrategy[list[float]]:
    weights = st.lists(st.floats(0, 1), min_size=low, max_size=high).filter(lambda found: sum(found) > 1e-3)
    return weights.map(lambda found: [one / math.fsum(found) for one in found])


def test_a_label_says_its_entropy_its_margin_and_its_mass() -> None:
    found = soft_label(PROBS, 0.8)
    assert list(found.probs) == list(PROBS)
    assert found.entropy == pytest.approx(-sum(p * math.log(p) for p in PROBS.values()))
    assert found.margin == pytest.approx(0.125)
    assert (found.label_mass, found.disagreement, found.details) == (0.8, None, {})
    assert kind_of(found) == "nominal"


def test_a_certain_class_has_no_entropy_and_margin_1() -> None:
    for probs in ({"a": 1.0}, {"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 1.0, "c": 0.0}):
        found = soft_label(probs, None)
        assert (found.entropy, found.margin) == (0.0, 1.0)
        assert math.copysign(1, found.entropy) == 1


@given(simplex())
def test_entropy_lies_between_0_and_ln_k_and_does_not_depend_on_the_order(probs: list[float]) -> None:
    assert 0 <= entropy(probs) <= math.log(len(probs)) + 1e-12
    assert entropy(probs) == pytest.approx(entropy(probs[::-1]))
    assert entropy([*probs, 0.0]) == entropy(probs)
    assert entropy([1 / len(probs)] * len(probs)) == pytest.approx(math.log(len(probs)))


@pytest.mark.parametrize(
    ("classes", "scale"),
    [
        (("low", "middle", "high"), (1, 2, 3)),
        (("1", "2", "5"), (1, 2, 5)),
        (("-1", "0", "+1"), (-1, 0, 1)),
        (("0.5", "1e1", "3"), (0.5, 10, 3)),
        (("1", "2", "many"), (1, 2, 3)),
        (("1", "nan", "3"), (1, 2, 3)),
        (("1", "inf", "3"), (1, 2, 3)),
    ],
)
def test_ordinal_classes_have_a_mean_and_a_deviation_on_their_own_numbers_or_their_places(
    classes: tuple[str, ...], scale: tuple[float, ...]
) -> None:
    probs = (0.2, 0.5, 0.3)
    found = ordinal_label(dict(zip(classes, probs, strict=True)), 1.0)
    mean = sum(p * x for p, x in zip(probs, scale, strict=True))
    assert found.details == {
        "kind": "ordinal",
        "mean": pytest.approx(mean),
        "sd": pytest.approx(math.sqrt(sum(p * (x - mean) ** 2 for p, x in zip(probs, scale, strict=True)))),
    }
    assert replace(found, details={}) == soft_label(found.probs, 1.0)


def test_a_certain_ordinal_class_has_no_deviation() -> None:
    assert ordinal_label({"1": 0.0, "2": 1.0}, None).details == {"kind": "ordinal", "mean": 2.0, "sd": 0.0}


def test_several_classes_sum_their_entropies_and_are_as_sure_as_the_least_certain_one() -> None:
    found = multi_label({"a": 0.9, "b": 0.4, "c": 1.0}, 0.7)
    assert found.entropy == pytest.approx(entropy([0.9, 0.1]) + entropy([0.4, 0.6]))
    assert found.margin == pytest.approx(0.2)
    assert found.details == {"kind": "multi"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_label_knows_its_kind(kind: Kind) -> None:
    assert kind_of(label_of(kind, PROBS, None)) == kind


@pytest.mark.parametrize("kind", KINDS)
def test_distributions_each_sum_to_1_and_are_taken_back_without_a_change(kind: Kind) -> None:
    label = label_of(kind, PROBS, 0.5)
    said = distributions(label)
    assert len(said) == (3 if kind == "multi" else 1)
    assert all(math.fsum(one) == pytest.approx(1) for one in said)
    again = redistributed(label, said)
    assert again.probs == label.probs
    assert again.details == {**label.details, "raw": PROBS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_corrected_label_says_all_about_its_new_probabilities_and_keeps_the_first_ones(kind: Kind) -> None:
    made = replace(label_of(kind, PROBS, 0.5), disagreement=0.1)
    made = replace(made, details={**made.details, "traces": 4})
    new, newest = {"billing": 0.2, "bug": 0.5, "how-to": 0.3}, {"billing": 0.1, "bug": 0.1, "how-to": 0.8}
    once = corrected(made, new)
    fresh = label_of(kind, new, 0.5)
    assert (once.probs, once.entropy, once.margin) == (new, fresh.entropy, fresh.margin)
    assert (once.label_mass, once.disagreement) == (0.5, 0.1)
    assert once.details == {**fresh.details, "traces": 4, "raw": PROBS}
    assert corrected(once, newest).details["raw"] == PROBS


def test_mutual_information_is_nothing_between_equal_distributions_and_the_weights_entropy_between_sure_ones() -> None:
    assert mutual_information([[0.3, 0.7]] * 3) == pytest.approx(0, abs=1e-12)
    assert mutual_information([[1.0, 0.0], [0.0, 1.0]]) == pytest.approx(math.log(2))
    assert mutual_information([[1.0, 0.0], [0.0, 1.0]], [0.9, 0.1]) == pytest.approx(entropy([0.9, 0.1]))
    assert mixture([[1.0, 0.0], [0.0, 1.0]], [0.9, 0.1]) == [0.9, 0.1]
