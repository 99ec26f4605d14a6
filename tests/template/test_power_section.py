"""What a template may say about method power, and what is told of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsgen.errors import TemplateError
from vsgen.flows.asking import settings_of
from vsgen.sampling.settings import Power
from vsgen.template.load import load_template

BASE = "version: 1\nname: sums\nprompt: What is {{ a }} + 1?\nvariables: {a: [1, 2]}\n"


def load(tmp_path: Path, text: str) -> object:
    path = tmp_path / "sums.yaml"
    path.write_text(BASE + text)
    return load_template(str(path))


def problem(tmp_path: Path, text: str) -> str:
    with pytest.raises(TemplateError) as caught:
        load(tmp_path, text)
    return str(caught.value).replace(str(tmp_path), "")


def test_the_sampler_draws_with_the_section_itself(tmp_path: Path) -> None:
    path = tmp_path / "sums.yaml"
    path.write_text(BASE + "sampling: {method: power}")
    template = load_template(str(path))
    assert settings_of(template).sampling is template.sampling
    assert template.sampling.powered == Power()
    path.write_text(BASE + "sampling: {method: power, power: {engine: mh, alpha: 4, steps: 3}}")
    assert load_template(str(path)).sampling.powered == Power(engine="mh", alpha=4.0, steps=3)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("alpha: 0", "sampling.power.alpha: must be > 0, got 0"),
        ("alpha: -1", "sampling.power.alpha: must be > 0, got -1"),
        ("alpha: .inf", "sampling.power.alpha: must be finite, got Infinity"),
        ("steps: 0", "sampling.power.steps: must be >= 1, got 0"),
        ("blocks: 0", "sampling.power.blocks: must be >= 1, got 0"),
        ("particles: 1", "sampling.power.particles: must be >= 2, got 1"),
        ("check_every: 0", "sampling.power.check_every: must be >= 1, got 0"),
        ("moves: -1", "sampling.power.moves: must be >= 0, got -1"),
        ("ess: 0", "sampling.power.ess: must be > 0, got 0"),
        ("engine: smcc", "did you mean 'smc'?"),
        ("particle: 4", "sampling.power: unknown key 'particle'; did you mean 'particles'?"),
        ("temperature: 2", "unknown key 'temperature'; did you mean 'sampling.temperature'?"),
        ("potentials: {}", "sampling.power.potentials: names none; give valid, correct or labels"),
        ("potentials: {corect: true}", "sampling.power.potentials: unknown key 'corect'; did you mean 'correct'?"),
        ("potentials: {correct: 0.0}", "sampling.power.potentials.correct: must be true, or a number above 0"),
        ("potentials: {correct: true}", "sampling.power.potentials.correct: needs output.correct"),
        ("potentials: {labels: [{label: a, class: b}]}", "labels.0.label: 'a' is not a label of this template"),
        ("potentials: {labels: [{label: a}]}", "sampling.power.potentials.labels.0.class: missing; it is required"),
        ("{engine: best-of-n, potentials: {valid: true}}", "engine best-of-n samples no target with factors"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, section: str, told: str) -> None:
    message = problem(tmp_path, f"sampling:\n  method: power\n  power:\n    {section}\n")
    assert message.startswith("/sums.yaml:8: sampling.power")
    assert told in message


LABELS = """\
labels:
  - {name: a, classes: [b, c], prompt: "{{ text }}"}
  - {name: v, classes: [b, c], prompt: "{{ text }}", method: votes}
"""


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("{label: a, class: d}", "labels.0.class: 'd' is not a class of a; there are: b, c"),
        ("{label: v, class: b}", "labels.0.label: label 'v' must have 'classes' and method score or decisions"),
    ],
)
def test_a_factor_is_the_class_of_a_scored_label(tmp_path: Path, label: str, told: str) -> None:
    section = f"sampling:\n  method: power\n  power:\n    potentials: {{labels: [{label}]}}\n"
    assert f"/sums.yaml:8: sampling.power.potentials.{told}" in problem(tmp_path, section + LABELS)


def test_only_a_text_can_be_read_before_it_is_whole(tmp_path: Path) -> None:
    look = "sampling: {method: power, power: {potentials: {labels: [{label: v, class: b, looks: true}]}}}\n"
    label = "labels: [{name: v, classes: [b, c], prompt: '{{ x }}'}]\n"
    object_ = "output: {schema: {type: object, properties: {x: {type: string}, y: {type: string}}}}\n"
    assert "potentials.labels.0.looks: needs output with one text field" in problem(tmp_path, look + label + object_)
    assert load(tmp_path, look.replace("true", "false") + label + object_)


@pytest.mark.parametrize("key", ["temperature: 0.5", "top_p: 0.9", "top_k: 50", "min_p: 0.1"])
def test_token_filters_do_not_go_with_power(tmp_path: Path, key: str) -> None:
    message = problem(tmp_path, f"sampling:\n  method: power\n  {key}\n")
    assert message.startswith(f"/sums.yaml:7: sampling.{key.partition(':')[0]}: cannot be combined with method power")


def test_neutral_values_go_with_power(tmp_path: Path) -> None:
    assert load(tmp_path, "sampling: {method: power, temperature: 1, top_p: 1, top_k: 0, min_p: 0}")


def test_a_section_without_its_method_is_told_but_may_stand_beside_another(tmp_path: Path) -> None:
    assert "needs 'method: power'; without it the method is vs" in problem(tmp_path, "sampling: {power: {alpha: 2}}")
    assert load(tmp_path, "sampling: {method: direct, power: {alpha: 2}}")


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("{answer: 'x(y'}", "output.answer: not a usable regular expression (missing ): x(y): 'x(y'"),
        (
            "{answer: 'no group'}",
            "output.answer: must be an output field ('text'), or a regular expression with one group",
        ),
        (
            "{answer: '(a)(b)'}",
            "output.answer: must be an output field ('text'), or a regular expression with one group",
        ),
        ("{correct: answer == 1}", "output.correct: needs 'answer'"),
        ("{answer: text, correct: 'answer =='}", "output.correct: not valid Jinja"),
        ("{answer: text, correct: 'answer %}{% if 1'}", "output.correct: must be an expression of Jinja"),
        ("{answer: text, correct: ''}", "output.correct: must be an expression of Jinja"),
        ("{answer: text, correct: '9**9 > 1'}", "output.correct: "),
        ("{answer: ''}", "output.answer: must not be empty"),
        (f"{{answer: '{'a' * 1001}(b)'}}", "at most 1000"),
    ],
)
def test_mistakes_about_answers_are_told(tmp_path: Path, output: str, told: str) -> None:
    message = problem(tmp_path, f"output: {output}\n")
    assert message.startswith("/sums.yaml:5: output")
    assert told in message


def test_a_label_may_not_be_called_answer_where_answers_vote(tmp_path: Path) -> None:
    label = "labels: [{name: answer, classes: [a, b], prompt: '{{ text }}?'}]\n"
    assert load(tmp_path, label)
    assert "is already the label of output.answer" in problem(tmp_path, f"{label}output: {{answer: text}}\n")
