"""Soft labels against closed forms."""

from __future__ import annotations

import math

import pytest

from vsgen.backends.table import TableModel
from vsgen.flow import InOrder
from vsgen.labels.soft import question, soft_labels
from vsgen.values import Score, Scores, SoftLabel

CLASSES = ("billing", "bug", "how-to")


def label(*scores: tuple[float, ...], texts: int, classes: tuple[str, ...] = CLASSES) -> list[SoftLabel]:
    free = ["free"] * (len(scores) - texts)
    flow = soft_labels([f"text {i}" for i in range(texts)], classes, content_free=free)
    asked = next(flow)
    assert not isinstance(asked, InOrder)
    assert all(isinstance(call, Score) and call.choices == classes for call in asked)
    try:
        flow.send([Scores(tuple(map(math.log, one))) for one in scores])
    except StopIteration as stop:
        labels: list[SoftLabel] = stop.value
        return labels
    raise AssertionError("labels ask only once")


def test_probs_are_the_class_probabilities_renormalised() -> None:
    (found,) = label((0.4, 0.1, 0.3), texts=1)
    assert list(found.probs) == list(CLASSES)
    assert list(found.probs.values()) == pytest.approx([0.5, 0.125, 0.375])
    assert found.label_mass == pytest.approx(0.8)
    assert found.margin == pytest.approx(0.125)
    assert found.entropy == pytest.approx(-sum(p * math.log(p) for p in (0.5, 0.125, 0.375)))


def test_contextual_calibration_divides_by_the_content_free_probabilities() -> None:
    found = label((0.6, 0.3, 0.1), (0.2, 0.2, 0.2), (0.6, 0.3, 0.1), (0.4, 0.1, 0.1), texts=2)
    assert list(found[0].probs.values()) == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert list(found[1].probs.values()) == pytest.approx([0.5 / 4.5, 2 / 4.5, 2 / 4.5])
    assert found[0].label_mass == pytest.approx(1.0)


def test_probabilities_far_below_the_smallest_float_are_compared_all_the_same() -> None:
    flow = soft_labels(["t"], ("a", "b"))
    next(flow)
    with pytest.raises(StopIteration) as stop:
        flow.send([Scores((-2000.0, -2000.0 - math.log(3)))])
    (found,) = stop.value.value
    assert found.probs == pytest.approx({"a": 0.75, "b": 0.25})
    assert found.label_mass == 0.0


def test_classes_that_the_model_never_says_are_equal_and_have_no_mass() -> None:
    flow = soft_labels(["t"], ("a", "b"))
    next(flow)
    with pytest.raises(StopIteration) as stop:
        flow.send([Scores((-math.inf, -math.inf))])
    assert stop.value.value[0].probs == {"a": 0.5, "b": 0.5}
    assert stop.value.value[0].label_mass == 0.0


def test_a_class_without_a_prior_is_not_corrected() -> None:
    flow = soft_labels(["t"], ("a", "b"), content_free=["N/A"])
    next(flow)
    with pytest.raises(StopIteration) as stop:
        flow.send([Scores((-1.0, -2.0)), Scores((-math.inf, -1.0))])
    assert stop.value.value[0].probs == pytest.approx({"a": 0.5, "b": 0.5})


def test_the_question_names_every_class() -> None:
    (message,) = question("Which queue?", CLASSES).messages
    assert message.content == "Which queue?\n\nReply with exactly one of these: billing, bug, how-to."


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "classes",
    [("a", "b"), ("a", "ab", "abc"), ("ab", "ac"), ("c", "abca", "bb"), ("a", "b", "c", "aa", "ba", "cabc")],
    ids=["apart", "one begins another", "same first tokens", "unequal lengths", "many"],
)
def test_labels_are_those_of_exact_enumeration(classes: tuple[str, ...], seed: int) -> None:
    """P(class | the reply is a class) over every reply that a toy model can give, with and without calibration."""
    model = TableModel.random(seed, length=4, sharpness=2.0)

    def truth(text: str) -> list[float]:
        replies = model.enumerate(question(text, classes))
        said = {model.spell(tokens): math.exp(logp) for tokens, logp in replies}
        return [said[name] for name in classes]

    flow = soft_labels(["one text"], classes, content_free=[])
    calibrated = soft_labels(["one text"], classes, content_free=["N/A"])
    joint, prior = truth("one text"), truth("N/A")
    for asked, weights in ((flow, joint), (calibrated, [p / q for p, q in zip(joint, prior, strict=True)])):
        calls = next(asked)
        assert not isinstance(calls, InOrder)
        with pytest.raises(StopIteration) as stop:
            asked.send(model.score([call for call in calls if isinstance(call, Score)]))
        (found,) = stop.value.value
        assert list(found.probs.values()) == pytest.approx([w / sum(weights) for w in weights], abs=1e-12)
        assert found.label_mass == pytest.approx(sum(joint), abs=1e-12)
