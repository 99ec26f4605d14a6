"""Examples that can hardly be meant are reported before anything is asked."""

from __future__ import annotations

from vsgen.jobs.label_doubts import doubts
from vsgen.template.load import template_of
from vsgen.template.schema import Template
from vsgen.values import Row


def template(*texts: str) -> Template:
    rows = [{"text": text, "mood": "bad"} for text in texts]
    label = {"name": "mood", "classes": ["bad", "good"], "prompt": "{{ text }}", "examples": rows}
    return template_of({"version": 1, "name": "t", "prompt": "-", "labels": [label]}, "t.yaml")


def gold(*texts: str) -> list[Row]:
    return [Row(i, {"text": text, "mood": "bad"}, f"gold:{i + 1}") for i, text in enumerate(texts)]


def test_gold_rows_that_are_also_examples_are_counted_whatever_their_case_and_spaces() -> None:
    (doubt,) = doubts(template("It broke.", "Bad."), gold("It  BROKE.", "Fine.", "No."), "text")
    assert doubt.startswith("label mood: 1 of 3 rows of GOLD are also examples")
    assert list(doubts(template("It broke."), gold("Fine."), "text")) == []


def test_a_file_of_known_rows_as_examples_is_doubtful() -> None:
    (doubt,) = doubts(template(*map(str, range(40))), (), "text")
    assert doubt.startswith("label mood: 40 examples for 2 classes make every prompt longer")
