"""From flags to a template: what is asked where the user says little, and what names an output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from vsgen.errors import OptionError, TemplateError
from vsgen.jobs.label_options import LabelOptions, classes_of, from_flags, from_template
from vsgen.jobs.wanted import ModelChoice
from vsgen.labels.select import Selection

QUEUE: dict[str, object] = {"name": "which_queue", "classes": ["bug", "billing"]}


def prompt(section: Mapping[str, object], on: str | None = None) -> str:
    template, _ = from_flags([section], on, [])
    return template.labels[0].prompt


def test_a_question_is_made_of_the_name_and_the_text_follows() -> None:
    assert prompt(QUEUE) == "Which which queue fits this text best?\n\n{{ text }}"
    assert prompt(QUEUE, "body").endswith("\n\n{{ body }}")


def test_a_prompt_that_does_not_hold_the_text_gets_it_and_one_that_does_is_left_alone() -> None:
    assert prompt({**QUEUE, "prompt": "Which queue?"}) == "Which queue?\n\n{{ text }}"
    for asked in ("{{ text }}?", "{% if text %}{{ text[:9] }}{% endif %}: which?"):
        assert prompt({**QUEUE, "prompt": asked}) == asked
    assert prompt({**QUEUE, "prompt": "{{ text }}?"}, "body") == "{{ text }}?\n\n{{ body }}"


def test_a_question_about_several_classes_names_none_of_them() -> None:
    asked = prompt({**QUEUE, "kind": "multi"})
    assert asked.endswith("\n\n{{ text }}")
    assert "queue" not in asked


def test_overrides_are_laid_over_every_label() -> None:
    template, on = from_flags([QUEUE, {**QUEUE, "name": "other"}], None, ["method=votes", "replies=3"])
    assert on == "text"
    assert [(label.method, label.count) for label in template.labels] == [("votes", 3)] * 2
    template, on = from_template("support-tickets", None, ["permutations=all"])
    assert (on, template.labels[0].permutations) == ("text", "all")
    assert from_template("support-tickets", "body", [])[1] == "body"


def test_a_template_without_labels_and_a_field_that_no_prompt_can_name_are_told() -> None:
    with pytest.raises(OptionError, match=r"random-item.yaml: has no 'labels:'"):
        from_template("random-item", None, [])
    with pytest.raises(OptionError, match="--on: must be letters"):
        from_flags([QUEUE], "my text", [])
    with pytest.raises(TemplateError, match=r"flags: labels\.0\.name: 'text' is already an output field"):
        from_flags([{**QUEUE, "name": "text"}], None, [])


@pytest.mark.parametrize(
    ("word", "classes"),
    [
        ("a,b", ["a", "b"]),
        (" a , b c ", ["a", "b c"]),
        ("a,,b", ["a", "", "b"]),
        ('["a, or b", "c"]', ["a, or b", "c"]),
        ("é,日本", ["é", "日本"]),
    ],
)
def test_classes_are_parted_by_commas_or_stand_in_a_json_list(word: str, classes: list[str]) -> None:
    assert classes_of(word) == classes


@pytest.mark.parametrize("word", ['["a"', "[1, 2]", '["a", null]', '[["a"]]'])
def test_what_begins_as_a_json_list_must_be_one_of_texts(word: str) -> None:
    with pytest.raises(OptionError, match="--classes: "):
        classes_of(word)


def test_all_that_changes_the_labels_changes_what_names_the_output() -> None:
    template, on = from_flags([QUEUE], None, [])
    job = LabelOptions(template, on, "in.jsonl", model=ModelChoice("tiny"))
    others = [
        job,
        replace(job, template=from_flags([QUEUE], None, ["normalize=byte"])[0]),
        replace(job, on="body"),
        replace(job, model=ModelChoice("other")),
        replace(job, seed=1),
        replace(job, selection=Selection("margin", 0.5)),
        replace(job, selection=Selection("margin", 0.25)),
        replace(job, truncate=True),
    ]
    assert len({repr(one.parts) for one in others}) == len(others)
    assert replace(job, histogram=True).parts == job.parts
    assert replace(job, input="moved.jsonl").parts == job.parts, "its content counts, not its name"
