"""Variables that nothing uses, prompts that never change, values that are listed twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.template.warnings.warned import found, made
from vsgen.template.load import load_template
from vsgen.template.warnings.variables import null_values, repeated_values, same_prompt, unused, unused_rows
from vsgen.template.warnings.warning import Use

BOTH = {"product": ["kettle", "lamp"], "tone": ["polite", "angry"]}


def test_a_variable_that_nothing_uses_is_named() -> None:
    (text,) = found(unused, made(variables=BOTH))
    assert text == ("template: variables.tone: no prompt or expression uses it; write {{ tone }} there, or remove it")


def test_a_warning_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text("version: 1\nname: t\nprompt: Say {{ a }}.\nvariables:\n  a: [1, 2]\n  b: [1, 2]\n")
    (one,) = unused(load_template(str(file)), Use())
    assert (one.where, one.line) == (f"{file}:6", 6)


@pytest.mark.parametrize(
    "keys",
    [
        {"system": "Be {{ tone }}."},
        {"prefill": "{{ tone }}:"},
        {"keep": "tone != 'polite' or probability > 0.1"},
        {"labels": [{"name": "x", "classes": ["a", "b"], "prompt": "{{ tone }}? {{ text }}"}]},
        {"labels": [{"name": "x", "choices": "tone", "prompt": "{{ text }}?"}]},
        {"output": {"answer": "text", "correct": "answer == tone"}},
        {"prompt": "{{ product }}{% if tone is defined %} {{ tone }}{% endif %}"},
        {"prompt": "{{ product }} {{ tone|default('x') }}"},
        {"prompt": "{% for each in [tone] %}{{ each }} {{ product }}{% endfor %}"},
        {"recommended": {"small": {"system": "Be {{ tone }}."}}},
    ],
)
def test_every_text_and_expression_uses_variables(keys: dict[str, object]) -> None:
    assert found(unused, made(variables=BOTH, **keys)) == []


def test_rows_of_which_nothing_is_used_are_probably_the_wrong_file() -> None:
    (text,) = found(unused_rows, made(), Use(fields=["text", "id"]))
    assert "prompt: no prompt or expression uses a field of the input rows (text, id); write {{ text }} there" in text
    assert found(unused_rows, made(), Use(fields=["text", "product"])) == found(unused_rows, made(), Use()) == []
    assert found(unused_rows, made(keep="tone != 'polite'"), Use(fields=["tone"])) == []


def test_a_mistyped_variable_that_rows_stand_in_for_has_the_name_that_is_meant() -> None:
    (text,) = found(unused, made(variables={"produkt": ["kettle"]}), Use(rows=True))
    assert "did you mean 'product', which is used?" in text


def test_a_set_variable_that_nobody_uses_names_the_flag() -> None:
    (text,) = found(unused, made("variables.colour=[red, blue]"))
    assert text.startswith("--set variables.colour=[red, blue]: variables.colour: no prompt or expression uses it")


def test_a_prompt_without_variables_asks_the_same_again_and_again() -> None:
    template = made(prompt="Review a kettle.", variables=None)
    (text,) = found(same_prompt, template, Use(num=100))
    assert "it has no variables, and there is no input, so each of the 20 or more draws sends the same prompt" in text
    assert "add {{ ... }} with values under 'variables:', or give input rows" in text
    assert len(found(same_prompt, template)) == 1


def test_variables_with_one_value_change_nothing() -> None:
    (text,) = found(same_prompt, made(variables={"product": ["kettle", "kettle"]}), Use(num=100))
    assert "its variables have one value each" in text
    assert len(found(same_prompt, made(prompt="Say a word."), Use(num=100))) == 1


@pytest.mark.parametrize(
    ("keys", "use"),
    [
        ({}, Use(num=5)),
        ({}, Use(num=100, rows=True)),
        ({"choices": ["a", "b"]}, Use(num=100)),
        ({"output": {"schema": {"type": "object", "properties": {"day": {"enum": ["Mon", "Tue"]}}}}}, Use(num=100)),
        ({"examples": [{"text": "one"}, {"text": "two"}]}, Use(num=100)),
        ({"system": "Be {{ tone }}.", "variables": {"tone": ["kind", "curt"]}}, Use(num=100)),
    ],
)
def test_draws_that_differ_or_are_one_or_of_a_closed_set_are_no_repeats(keys: dict[str, object], use: Use) -> None:
    assert found(same_prompt, made(**{"prompt": "Say a word.", "variables": None, **keys}), use) == []


def test_a_value_that_is_listed_twice_is_named() -> None:
    (text,) = found(repeated_values, made(variables={"product": ["kettle", "lamp", "kettle"]}))
    assert 'variables.product.2: "kettle" is listed more than once' in text
    (text,) = found(repeated_values, made(choices=["a", "b", "b"]))
    assert text.startswith('template: choices.2: "b" is listed more than once')


def test_values_of_other_types_and_weights_are_no_repeats() -> None:
    assert found(repeated_values, made(variables={"product": [1, True, "1", 1.5, None, "null"]})) == []
    assert found(repeated_values, made(variables={"product": {"kettle": 2, "lamp": 1}})) == []


def test_an_empty_item_and_a_null_are_named_with_their_line(tmp_path: Path) -> None:
    for item in ("-", "- null", "- ~"):
        file = tmp_path / "t.yaml"
        file.write_text(f"version: 1\nname: t\nprompt: Say {{{{ a }}}}.\nvariables:\n  a:\n    - one\n    {item}\n")
        (one,) = null_values(load_template(str(file)), Use())
        assert str(one).startswith(f"{file}:7: variables.a.1: is empty or null, which is written as the word null; ")


def test_a_null_that_the_prompt_tests_for_or_whose_word_is_meant_is_no_slip() -> None:
    tested = made(prompt="Review{% if product %} a {{ product }}{% endif %}.", variables={"product": [None, "lamp"]})
    assert found(null_values, tested) == []
    assert found(null_values, made(variables={"product": ["null", "", 0]})) == []
