"""What is done to finished labels: a prior, a temperature, and the gold rows that it comes from."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from vsgen.errors import InputError
from vsgen.jobs.label_correct import Correction, calibrate, gold_places
from vsgen.labels.settings import Kind, Label
from vsgen.labels.soft import distributions, label_of
from vsgen.labels.temperature import COLDEST, Fitted, fit_temperature, tempered
from vsgen.values import Row, SoftLabel

CLASSES = ("a", "b", "c")


def section(kind: Kind = "nominal") -> Label:
    return Label(name="x", classes=CLASSES, prompt="?", kind=kind)


def made(*probs: float, kind: Kind = "nominal") -> SoftLabel:
    return label_of(kind, dict(zip(CLASSES, probs, strict=True)), 0.9)


def test_nothing_to_do_leaves_a_label_as_it_is() -> None:
    label = made(0.5, 0.3, 0.2)
    for fitted in (None, Fitted(1.0, at_bound=False), Fitted(COLDEST, at_bound=True)):
        correction = Correction(section(), fitted=fitted)
        assert correction.idle
        assert correction(label) is label


@pytest.mark.parametrize("kind", ["nominal", "ordinal", "multi"])
def test_a_temperature_is_laid_on_every_distribution_of_a_label(kind: Kind) -> None:
    label = replace(made(0.5, 0.3, 0.2, kind=kind), disagreement=0.2)
    found = Correction(section(kind), fitted=Fitted(2.0, at_bound=False))(label)
    expected = [tempered(one, 2.0) for one in distributions(label)]
    assert distributions(found) == [pytest.approx(one) for one in expected]
    assert found.details["raw"] == label.probs
    assert found.details["temperature"] == 2.0
    assert (found.label_mass, found.disagreement) == (0.9, 0.2)
    assert found.entropy > label.entropy


def test_a_prior_is_the_mean_of_the_rows_and_is_divided_out_before_the_temperature() -> None:
    rows = [made(0.6, 0.2, 0.2), made(0.4, 0.4, 0.2)]
    correction = Correction(section(), fitted=Fitted(0.5, at_bound=False))
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


def gold(kind: Kind = "nominal") -> list[tuple[SoftLabel, list[int]]]:
    """Labels that are too sure, by a factor of two."""
    each = [(0.7, 0.2, 0.1), (0.1, 0.8, 0.1), (0.3, 0.3, 0.4), (0.6, 0.3, 0.1), (0.2, 0.5, 0.3)] * 4
    right = [[0, 1, 2, 0, 1], [0, 1, 2, 1, 1], [0, 1, 1, 0, 1], [1, 1, 2, 0, 2]]
    places = [place for ones in right for place in ones]
    if kind == "multi":
        return [
            (made(*p, kind=kind), [int(i != place) for i in range(3)]) for p, place in zip(each, places, strict=True)
        ]
    return [(made(*p), [place]) for p, place in zip(each, places, strict=True)]


@pytest.mark.parametrize("kind", ["nominal", "multi"])
def test_calibration_fits_all_distributions_and_measures_them_held_out(kind: Kind) -> None:
    correction = Correction(section(kind))
    found = calibrate(correction, gold(kind))
    said = [one for label, _ in gold(kind) for one in distributions(label)]
    places = [place for _, ones in gold(kind) for place in ones]
    assert correction.fitted == found.fitted == fit_temperature(said, places)
    assert len(found.raw) == len(found.held_out) == len(found.gold) == (60 if kind == "multi" else 20)
    assert list(found.raw) == said
    if kind == "multi":
        for i in range(0, 60, 3):
            hot = {round(math.log(q / (1 - q)) / math.log(p / (1 - p)), 6) for (p, _), (q, _) in zip(
                found.raw[i : i + 3], found.held_out[i : i + 3], strict=True) if p != 0.5}  # fmt: skip
            assert len(hot) <= 1, "a text's classes are held out together"
    assert [name for name, _ in found.qualities] == ["x before", "x after, held out"]
    assert found.verdict.startswith(f"x: temperature {found.fitted.temperature:.3f} ± ")


def test_a_verdict_says_when_a_temperature_says_nothing() -> None:
    sure = [(made(0.7, 0.2, 0.1), [0])] * 3
    correction = Correction(section())
    assert "too few or too one-sided" in calibrate(correction, sure).verdict
    assert correction.idle
    right = [(made(0.5, 0.3, 0.2), [place]) for place in (0, 0, 0, 0, 0, 1, 1, 1, 2, 2)]
    assert calibrate(correction, right).verdict.endswith("1, which changes nothing, fits as well")


@pytest.mark.parametrize(
    ("kind", "value", "places"),
    [
        ("nominal", "b", [1]),
        ("ordinal", "c", [2]),
        ("multi", ["a", "c"], [0, 1, 0]),
        ("multi", [], [1, 1, 1]),
        ("multi", "b", [1, 0, 1]),
    ],
)
def test_a_gold_row_names_its_class_or_classes(kind: Kind, value: object, places: list[int]) -> None:
    assert gold_places(Row(0, {"x": value}, "g:1"), section(kind), CLASSES) == places


def test_a_gold_class_may_be_a_number() -> None:
    numbered = Label(name="x", classes=("1", "2"), prompt="?", kind="ordinal")
    assert gold_places(Row(0, {"x": 2}, "g:1"), numbered, ("1", "2")) == [1]


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("nominal", {}, "g:7: needs a field 'x' with a class, got None"),
        ("nominal", {"x": ["a"]}, r"g:7: needs a field 'x' with a class, got \['a'\]"),
        ("nominal", {"x": "d"}, r"g:7: x: 'd' is not one of the label's classes \(a, b, c\)"),
        ("nominal", {"x": "A"}, r"g:7: x: 'A' is not one .*\(a, b, c\); did you mean 'a'\?"),
        ("nominal", {"text": "t", "y": "a"}, "g:7: needs a field 'x' with a class, got None; its fields are: text, y"),
        ("nominal", {"x": ""}, "g:7: x: '' is not one"),
        ("multi", {"x": None}, "g:7: needs a field 'x' with a list of classes, got None"),
        ("multi", {"x": ["a", "d"]}, "g:7: x: 'd' is not one"),
        ("multi", {"x": {"a": 1}}, "g:7: x: .* is not one"),
    ],
)
def test_a_gold_row_that_names_nothing_known_is_told(kind: Kind, fields: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=f"^{told}"):
        gold_places(Row(0, fields, "g:7"), section(kind), CLASSES)


def test_a_temperature_at_its_bound_is_used_neither_for_labels_nor_for_what_is_told_of_them() -> None:
    rows = [(made(0.6, 0.3, 0.1), [0]), (made(0.2, 0.7, 0.1), [1]), (made(0.2, 0.3, 0.5), [2])] * 3
    correction = Correction(section())
    found = calibrate(correction, rows)
    assert found.fitted.at_bound
    assert correction(rows[0][0]) is rows[0][0]
    assert found.held_out == found.raw
    assert found.verdict.startswith("x: calibration not applied: even at temperature 0.05 the log loss still falls")
    assert [name for name, _ in found.qualities] == ["x before"]


def test_classes_that_have_nothing_to_do_with_the_labels_are_not_called_too_few() -> None:
    rows = [(made(*p), [right]) for p in ((0.98, 0.01, 0.01), (0.01, 0.98, 0.01)) for right in (0, 1, 2)] * 20
    correction = Correction(section())
    found = calibrate(correction, rows)
    assert found.fitted.flattened
    assert "(accuracy 0.33 of 120; equal shares would give a log loss of 1.10, the labels give 3.08)" in found.verdict
    assert correction.idle
    assert found.known.loss > found.known.equal


def test_a_prior_that_was_divided_out_is_named_where_no_temperature_is() -> None:
    rows = [(made(0.6, 0.3, 0.1), [0]), (made(0.2, 0.7, 0.1), [1]), (made(0.2, 0.3, 0.5), [2])] * 3
    correction = Correction(section())
    correction.learn_prior([distributions(label) for label, _ in rows])
    found = calibrate(correction, rows)
    assert found.verdict.endswith("; the prior was divided out all the same")
    assert [name for name, _ in found.qualities] == ["x before", "x prior divided out"]


def test_before_is_what_the_model_said_before_a_prior_was_divided_out() -> None:
    raw = {"a": 0.7, "b": 0.2, "c": 0.1}
    label = replace(made(0.4, 0.3, 0.3), details={"raw": raw})
    found = calibrate(Correction(section()), [(label, [0]), (label, [1]), (label, [0])])
    assert found.raw == [list(raw.values())] * 3
    assert found.held_out != found.raw


def test_classes_in_order_are_also_judged_by_how_far_off_they_are() -> None:
    labels = [(made(0.5, 0.4, 0.1, kind="ordinal"), [1]), (made(0.1, 0.3, 0.6, kind="ordinal"), [2])] * 4
    assert "ranked probability score" in calibrate(Correction(section("ordinal")), labels).verdict
    assert "ranked probability score" not in calibrate(Correction(section()), labels).verdict
