"""Labels that a model states itself."""

from __future__ import annotations

import json
from random import Random

import pytest
from jsonschema import Draft202012Validator

from tests.labels.asking import Scripted, said, section, told
from vsgen.flow import Together, Turn
from vsgen.labels.method import classify
from vsgen.labels.question import Question
from vsgen.labels.soft import entropy
from vsgen.values import Completion, Generate, SoftLabel, Unlabelled

CLASSES = ("not", "not relevant", "relevant")
ASKED = Question("Is it?", CLASSES)


def read(*replies: str, **how: object) -> SoftLabel | Unlabelled:
    flow = classify(ASKED, section(method="verbalized", replies=len(replies), **how), Random(0))
    calls = next(flow)
    assert not isinstance(calls, Turn | Together)
    assert len(calls) == len(replies)
    with pytest.raises(StopIteration) as stop:
        flow.send([Completion(reply) for reply in replies])
    assert isinstance(stop.value.value, SoftLabel | Unlabelled)
    return stop.value.value


def test_a_statement_is_renormalised_and_says_nothing_about_mass() -> None:
    found = read('{"not": 0.2, "not relevant": 0.2, "relevant": 0.4}')
    assert isinstance(found, SoftLabel)
    assert found.probs == pytest.approx({"not": 0.25, "not relevant": 0.25, "relevant": 0.5})
    assert (found.label_mass, found.disagreement) == (None, None)
    assert found.details == {"method": "verbalized", "replies": 1, "read": 1}


def test_several_statements_are_averaged_and_what_cannot_be_read_is_left_out() -> None:
    found = read(
        "not: 10%, not relevant: 0%, relevant: 90%", "I cannot say.", "relevant: 0.5, not relevant: 0.5, not: 0"
    )
    assert isinstance(found, SoftLabel)
    assert found.probs == pytest.approx({"not": 0.05, "not relevant": 0.25, "relevant": 0.7})
    assert (found.details["replies"], found.details["read"]) == (3, 2)
    assert found.disagreement == pytest.approx(
        entropy([0.05, 0.25, 0.7]) - (entropy([0.1, 0.9]) + entropy([0.5, 0.5])) / 2
    )


@pytest.mark.parametrize(
    "reply",
    ["", "relevant", "relevant: 0.5, not relevant: 0.5", "not: 0, not relevant: 0, relevant: 0", "relevant: 1, not: 0"],
)
def test_a_statement_that_leaves_a_class_out_or_is_all_zero_is_no_label(reply: str) -> None:
    assert read(reply) == Unlabelled("no reply could be read")


def test_replies_are_asked_for_in_a_form_that_holds_every_class_once() -> None:
    model = Scripted(lambda _: {"": 1.0})
    how = section(method="verbalized", replies=4, permutations=2, temperature=0.5, max_tokens=77)
    assert told(classify(ASKED, how, Random(1)), model) == Unlabelled("no reply could be read")
    assert len({call.seed for call in model.drawn}) == 4
    assert {(call.temperature, call.max_tokens) for call in model.drawn} == {(0.5, 77)}
    for call in model.drawn:
        assert isinstance(call, Generate)
        schema = json.loads(call.schema or "")
        form = Draft202012Validator(schema)
        assert ", ".join(schema["properties"]) in said(call.prompt)
        assert form.is_valid({"not": 0.2, "not relevant": 0.3, "relevant": 0.5})
        assert not form.is_valid({"not": 0.2, "not relevant": 0.8})
        assert not form.is_valid({"not": 0.2, "not relevant": 0.3, "relevant": 1.5})
        assert not form.is_valid({"not": 0.2, "not relevant": 0.3, "relevant": 0.5, "other": 0})
    orders = [tuple(json.loads(call.schema or "")["properties"]) for call in model.drawn]
    assert orders == [*orders[:2], *orders[:2]]
    assert len(set(orders)) == 2
