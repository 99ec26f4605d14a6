"""Examples in the prompt that do not fit the schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.template.warnings.warned import found, made
from vsgen.template.load import load_template
from vsgen.template.warnings.prompted import misfit_example
from vsgen.template.warnings.warning import Use

SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "author": {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}},
    },
}


def prompted(example: str, **keys: object) -> list[str]:
    template = made(prompt=f"Review a {{{{ product }}}}, such as: {example}", output={"schema": SCHEMA}, **keys)
    return list(found(misfit_example, template))


def test_an_example_that_contradicts_a_nested_schema_is_named() -> None:
    (text,) = prompted('{"title": "Tea", "author": {"name": "Ada", "age": "forty"}}')
    assert text.startswith("template: prompt: the example in it does not fit output.schema: author.age: ")
    (text,) = prompted('{"title": "Tea"} and nothing else')
    assert "author: missing" in text
    (text,) = prompted('{"title": "Tea", "author": {"name": "Ada", "age": 40}, "year": 1999}')
    assert "year: not a field of this template" in text


def test_each_answer_of_a_list_is_looked_at() -> None:
    right = '{"title": "Tea", "author": {"name": "Ada", "age": 40}, "probability": 0.2}'
    assert prompted(f'{{"responses": [{right}, {right}]}}') == []
    assert len(prompted(f'{{"responses": [{right}, {{"title": 3, "author": 4}}]}}')) == 1


@pytest.mark.parametrize(
    "example",
    [
        '{"title": "Tea", "author": {"name": "Ada", "age": 40}}',
        '{"title": "{{ product }}", "author": {"name": "Ada", "age": 40}}',
        '{"title": "...", "author": {"name": "...", "age": "..."}}',
        '{"title": "string", "author": {"name": "string", "age": "integer"}}',
        '{"title": "<the title>", "author": []}',
        '{"name": "Ada"}',
        '{"colour": "red"} { not json',
        "{title: Tea}",
        "no braces",
    ],
)
def test_what_fits_or_is_no_example_is_left_alone(example: str) -> None:
    assert prompted(example) == []


def test_an_answer_that_is_one_text_may_hold_any_json() -> None:
    assert found(misfit_example, made(prompt='{{ product }}: {"text": 3}')) == []


def test_the_line_of_the_example_is_named(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(
        'version: 1\nname: t\nprompt: |\n  Write a record.\n  Such as:\n  {"age": "x"}\n'
        "output: {schema: {type: object, properties: {age: {type: integer}}}}\n"
    )
    (one,) = misfit_example(load_template(str(file)), Use())
    assert one.where == f"{file}:6"


def test_a_prompt_of_braces_ends() -> None:
    assert prompted('{"a": ' * 3_000) == []
