"""What a part of a command takes is what its method asks."""

from __future__ import annotations

import pytest

from vsgen.cli.estimated import plan_lines
from vsgen.jobs.plan import Load, Plan
from vsgen.jobs.plan_labels import asked_rows, label_parts
from vsgen.labels.settings import Label
from vsgen.template.load import template_of


@pytest.mark.parametrize(
    ("section", "expected", "most"),
    [
        ({}, Load(1, 100, 1), Load(1, 125, 1)),
        ({"permutations": "all"}, Load(3, 300, 3), Load(3, 375, 3)),
        ({"normalize": "pmi"}, Load(2, 200, 2), Load(2, 250, 2)),
        ({"prior": "contextual"}, Load(1, 100, 1), Load(5, 625, 5)),
        ({"kind": "multi"}, Load(3, 300, 3), Load(3, 375, 3)),
        ({"method": "decisions"}, Load(1, 100, 1), Load(1, 125, 1)),
        ({"method": "decisions", "permutations": "all"}, Load(1, 300, 3), Load(1, 375, 3)),
        ({"method": "decisions", "kind": "multi"}, Load(1, 300, 3), Load(1, 375, 3)),
        ({"method": "votes"}, Load(8, 800, 1200), Load(8, 1000, 4096)),
        ({"method": "verbalized"}, Load(1, 100, 30), Load(1, 125, 512)),
        ({"method": "reasoning", "replies": 2}, Load(4, 700, 302), Load(4, 1524, 1026)),
    ],
)
def test_a_label_takes_what_its_method_asks(section: dict[str, object], expected: Load, most: Load) -> None:
    made = {"name": "mood", "classes": ["good", "bad", "so-so"], "prompt": "{{ text }}", **section}
    template = template_of({"version": 1, "name": "t", "prompt": "-", "dedup": False, "labels": [made]}, "t", [])
    label: Label = template.labels[0]
    (part,) = label_parts(template, label, "own", 100, 100)
    assert (part.expected, part.most) == (expected, most)


def test_each_model_of_a_label_is_asked_all_of_it_at_its_own_price() -> None:
    listed = ["run", "a", {"model": "b", "prices": {"input": 3, "output": 3}}]
    made = {"name": "mood", "classes": ["good", "bad"], "prompt": "{{ text }}", "model": listed}
    priced = {**made, "prices": {"input": 1, "output": 1}}
    document = {"version": 1, "name": "t", "prompt": "-", "dedup": False, "labels": [priced]}
    template = template_of({**document, "prices": {"input": 2, "output": 2}}, "t", [])
    parts = label_parts(template, template.labels[0], "own", 100, 100)
    assert [(part.name, part.model, part.prices and part.prices.input) for part in parts] == [
        ("label mood by own", "own", 2),
        ("label mood by a", "a", 1),
        ("label mood by b", "b", 3),
    ]
    assert {(part.expected, part.most) for part in parts} == {(Load(1, 100, 1), Load(1, 125, 1))}


@pytest.mark.parametrize(
    ("gold", "tried", "expected"),
    [
        (0, 0, (20, "20 input rows")),
        (40, 0, (60, "20 input rows, 40 gold rows")),
        (40, 40, (140, "20 input rows, 40 gold rows x 3 forms")),
        (0, 20, (60, "20 input rows, the first 20 in 3 forms")),
    ],
)
def test_rows_of_known_class_and_forms_that_are_tried_are_counted_apart_from_the_input(
    gold: int, tried: int, expected: tuple[int, str]
) -> None:
    asked = asked_rows(20, gold=gold, tried=tried)
    assert asked == expected
    (heading, *_) = plan_lines(Plan("input rows", asked.number, asked.number, (), asked.scope), None)
    assert heading == f"── estimate, {asked.scope} ──"
