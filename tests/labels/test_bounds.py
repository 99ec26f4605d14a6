"""Labels whose server lists the most probable tokens alone: what is not listed is bounded, and never zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labels.asking import section
from vsgen.flow import Flow
from vsgen.labels.bounds import truncated
from vsgen.labels.method import classify
from vsgen.labels.question import Question, Voice
from vsgen.labels.settings import Label
from vsgen.labels.soft import corrected
from vsgen.values import Call, Reply, Score, Scores, SoftLabel, Unlabelled

CLASSES = ("a", "b", "c")
ASKED = Question("Which?", CLASSES, ("N/A",))
LISTED = Scores(
    (math.log(0.6), math.log(0.3), math.log(0.02)),
    9,
    (math.log(0.6), math.log(0.3), -math.inf),
    (math.log(0.6), math.log(0.3), math.log(0.04)),
)


def labelled(scores: Scores, how: Label) -> SoftLabel:
    """The label that a model with these scores for every question gives."""

    def answered(calls: Sequence[Call]) -> list[Reply]:
        known = dict(zip(CLASSES, range(3), strict=True))
        made: list[Reply] = []
        for call in calls:
            assert isinstance(call, Score)
            at = [known.get(choice, i) for i, choice in enumerate(call.choices)]
            lower, upper = (tuple(values[i] for i in at) if values else () for values in (scores.lower, scores.upper))
            made.append(Scores(tuple(scores.logp[i] for i in at), 9, lower, upper))
        return made

    found = _moved(classify(ASKED, how, Random(1)), answered)
    assert isinstance(found, SoftLabel)
    return found


def _moved(flow: Flow[SoftLabel | Unlabelled], answered: object) -> object:
    from vsgen.flow import Together

    try:
        wait = next(flow)
        while True:
            assert not isinstance(wait, Together)
            wait = flow.send(answered(wait))  # type: ignore[operator]
    except StopIteration as end:
        return end.value


def test_a_label_with_a_class_that_is_not_listed_says_so_and_bounds_every_class() -> None:
    found = labelled(LISTED, section())
    assert found.details["truncated"] is True
    bounds = found.details["bounds"]
    assert isinstance(bounds, dict)
    assert bounds["c"] == pytest.approx([0.0, 0.04 / 0.94])
    assert bounds["a"] == pytest.approx([0.6 / 0.94, 0.6 / 0.9])
    assert all(low <= found.probs[name] <= high for name, (low, high) in bounds.items())
    assert found.probs["c"] > 0


def test_an_exact_label_says_nothing_of_bounds() -> None:
    assert not {"truncated", "bounds"} & labelled(Scores(LISTED.logp, 9), section()).details.keys()


@pytest.mark.parametrize("how", [section(permutations="all"), section(permutations=2)])
def test_bounds_of_several_orders_are_those_of_the_mean(how: Label) -> None:
    found = labelled(LISTED, how)
    bounds = found.details["bounds"]
    assert isinstance(bounds, dict)
    assert bounds["c"] == pytest.approx([0.0, 0.04 / 0.94])


@pytest.mark.parametrize("how", [section(prior="contextual"), section(normalize="byte"), section(normalize="pmi")])
def test_what_is_divided_out_leaves_no_bounds_but_the_warning(how: Label) -> None:
    found = labelled(LISTED, how)
    assert found.details["truncated"] is True and "bounds" not in found.details


def test_a_label_that_is_calibrated_keeps_no_bounds_of_before() -> None:
    found = corrected(labelled(LISTED, section()), {"a": 0.5, "b": 0.3, "c": 0.2})
    assert found.details["truncated"] is True and "bounds" not in found.details


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=6))
def test_the_truth_is_within_the_bounds_wherever_it_lies_between_those_of_the_classes(
    ends: list[tuple[float, float, float]],
) -> None:
    sides = [sorted(one) for one in ends]
    lower, truth, upper = (tuple(math.log(p) if p else -math.inf for p in one) for one in zip(*sides, strict=True))
    names = [str(i) for i in range(len(ends))]
    made = truncated(names, [Voice(truth, truncated=True, lower=lower, upper=upper)])
    bounds = made["bounds"]
    assert isinstance(bounds, dict)
    total = math.fsum(one[1] for one in sides)
    if total > 0:
        for name, one in zip(names, sides, strict=True):
            low, high = bounds[name]
            assert low - 1e-9 <= one[1] / total <= high + 1e-9
