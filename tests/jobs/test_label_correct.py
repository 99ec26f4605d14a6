"""What is done to finished labels: a prior, and a scaling that comes from gold rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vsgen.jobs.label_correct import Correction, calibrate
from vsgen.labels.scaling import Scaling, cross_scaled, fit_scaling
from vsgen.labels.settings import Kind, Label
from vsgen.labels.soft import distributions, label_of
from vsgen.metrics.calibration import one_hot
from vsgen.values import SoftLabel

CLASSES = ("a", "b", "c")


def section(kind: Kind = "nominal") -> Label:
    return Label(name="x", classes=CLASSES, prompt="?", kind=kind)


def made(*probs: float, kind: Kind = "nominal") -> SoftLabel:
    return label_of(kind, dict(zip(CLASSES, probs, strict=True)), 0.9)


def test_nothing_to_do_leaves_a_label_as_it_is() -> None:
    label = made(0.5, 0.3, 0.2)
    assert Correction(section()).idle
    assert Correction(section())(label) is label


@pytest.mark.parametrize("kind", ["nominal", "ordinal", "multi"])
def test_a_scaling_is_laid_on_every_distribution_of_a_label_which_says_so(kind: Kind) -> None:
    label = replace(made(0.5, 0.3, 0.2, kind=kind), disagreement=0.2)
    count = 3 if kind == "multi" else 1
    biases = (0.3, -0.3) if kind == "multi" else (0.1, 0.2, -0.3)
    scalings = [Scaling(biases, 0.5 + i) for i in range(count)]
    found = Correction(section(kind), scalings=scalings)(label)
    expected = [scaling(one) for scaling, one in zip(scalings, distributions(label), strict=True)]
    assert distributions(found) == [pytest.approx(one) for one in expected]
    assert found.details["raw"] == label.probs
    assert (found.label_mass, found.disagreement) == (0.9, 0.2)
    if kind == "multi":
        assert found.details["power"] == {"a": 0.5, "b": 1.5, "c": 2.5}
        assert found.details["bias"] == {"a": 0.6, "b": 0.6, "c": 0.6}
    else:
        assert found.details["power"] == 0.5
        assert found.details["bias"] == {"a": 0.1, "b": 0.2, "c": -0.3}


def test_a_prior_is_the_mean_of_the_rows_and_is_divided_out_before_the_scaling() -> None:
    rows = [made(0.6, 0.2, 0.2), made(0.4, 0.4, 0.2)]
    correction = Correction(section(), scalings=[Scaling((0.0, 0.0, 0.0), 2.0)])
    assert correction.learn_prior([distributions(row) for row in rows]) == []
    weights = [(p / q) ** 2 for p, q in zip((0.6, 0.2, 0.2), (0.5, 0.3, 0.2), strict=True)]
    found = correction(rows[0])
    assert list(found.probs.values()) == pytest.approx([w / sum(weights) for w in weights])


def test_each_of_several_classes_has_a_prior_and_a_warning_of_its_own() -> None:
    rows = [made(0.9, 0.5, 0.2, kind="multi"), made(0.8, 0.5, 0.4, kind="multi")]
    correction = Correction(section("multi"))
    warnings = correction.learn_prior([distributions(row) for row in rows])
    assert [one.split("(")[1].split(" ")[0] for one in warnings] == ["a", "not"]
    assert all(one.startswith("label x: ") for one in warnings)
    yes = correction(rows[0]).probs
    assert yes["a"] == pytest.approx((0.9 / 0.85) / (0.9 / 0.85 + 0.1 / 0.15))
    assert yes["b"] == pytest.approx(0.5)
    assert Correction(section()).learn_prior([]) == []


def gold(kind: Kind = "nominal", n: int = 60) -> list[tuple[SoftLabel, list[list[float]]]]:
    """Labels that are too sure, and classes that are drawn from what they should say."""
    rng = np.random.default_rng(0)
    found = []
    for truth in rng.dirichlet([1.0, 0.7, 0.5], n):
        said = truth**2 / (truth**2).sum()
        at = int(rng.choice(3, p=truth))
        right = [one_hot(int(i != at), 2) for i in range(3)] if kind == "multi" else [one_hot(at, 3)]
        found.append((made(*said.tolist(), kind=kind), right))
    return found


def test_calibration_fits_all_rows_and_measures_them_held_out() -> None:
    correction = Correction(section())
    found = calibrate(correction, gold())
    said = [one for label, _ in gold() for one in distributions(label)]
    right = [one for _, ones in gold() for one in ones]
    assert correction.scalings == found.scalings == [fit_scaling(said, right)]
    assert (found.raw, found.gold, found.held_out) == (said, right, cross_scaled(said, right))
    before, after = found.columns
    assert [before.name, after.name] == ["before", "after, held out"]
    assert after.skill.value > before.skill.value
    assert found.known.skill == after.skill.value
    (line,) = found.verdict
    power = found.scalings[0].power
    assert line.startswith(f"x: power {power:.3g} (temperature {1 / power:.3g}), bias a ")
    assert line.endswith(" from 60 known classes")


def test_each_of_several_classes_is_fitted_by_itself() -> None:
    correction = Correction(section("multi"))
    found = calibrate(correction, gold("multi", 15))
    assert len(found.raw) == len(found.held_out) == len(found.gold) == 45
    for at in range(3):
        said = [distributions(label)[at] for label, _ in gold("multi", 15)]
        right = [ones[at] for _, ones in gold("multi", 15)]
        assert correction.scalings[at] == fit_scaling(said, right)
        assert found.held_out[15 * at : 15 * (at + 1)] == cross_scaled(said, right)
    assert next(iter(found.verdict)).startswith("x: power ")


def test_classes_that_differ_from_row_to_row_get_a_power_alone() -> None:
    own = Label(name="x", choices="options", prompt="?")
    rows = [(label_of("nominal", {"p": 0.9, "q": 0.1}, 0.5), [[1.0, 0.0]])] * 8
    rows += [(label_of("nominal", {"r": 0.6, "s": 0.3, "t": 0.1}, 0.5), [[1.0, 0.0, 0.0]])] * 8
    correction = Correction(own)
    found = calibrate(correction, rows)
    assert correction.scalings[0].bias == ()
    assert "bias" not in correction(rows[0][0]).details
    assert [len(one) for one in found.prior] == [2] * 8 + [3] * 8


@pytest.mark.parametrize(("n", "why"), [(12, "too few to see more"), (60, "the labels say nothing more")])
def test_labels_that_say_nothing_of_the_classes_end_at_the_class_prior(n: int, why: str) -> None:
    same = made(0.8, 0.1, 0.1)
    correction = Correction(section())
    found = calibrate(correction, [(same, [one_hot(int(i % 3 == 0), 3)]) for i in range(n)])
    first, second = found.verdict
    assert first.startswith(f"x: power 0 from {n} known classes: every row gets the class prior (a 0.6")
    assert second.strip().startswith(why)
    assert found.known.prior_alone and found.known.calibrated
    assert found.known.skill == found.columns[1].skill.value, "one and the same figure everywhere"
    assert correction(same).probs["a"] == pytest.approx((n * 2 / 3 + 0.5) / (n + 1.5))


def test_the_label_mass_tells_how_far_probabilities_are_off_before_they_are_normalised() -> None:
    before, after = calibrate(Correction(section()), gold()).columns
    assert before.unnormalised is not None and before.unnormalised != before.quality.smooth
    assert after.unnormalised is None


def test_before_is_what_the_model_said_before_a_prior_was_divided_out() -> None:
    raw = {"a": 0.7, "b": 0.2, "c": 0.1}
    label = replace(made(0.4, 0.3, 0.3), details={"raw": raw})
    found = calibrate(Correction(section()), [(label, [one_hot(at, 3)]) for at in (0, 1, 0)])
    assert found.raw == [list(raw.values())] * 3
    assert found.held_out != found.raw


def test_classes_in_order_are_also_judged_by_how_far_off_they_are() -> None:
    assert any("ranked probability score" in one for one in calibrate(Correction(section("ordinal")), gold()).verdict)
    assert not any("ranked probability score" in one for one in calibrate(Correction(section()), gold()).verdict)
