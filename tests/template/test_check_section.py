"""What a template may say about checks and repair, and what is told of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsgen.checks.settings import Check
from vsgen.errors import TemplateError
from vsgen.template.load import load_template
from vsgen.template.schema import Template, json_schema

BASE = "version: 1\nname: code\nprompt: Write code.\noutput: {field: code}\n"


def load(tmp_path: Path, text: str) -> Template:
    path = tmp_path / "code.yaml"
    path.write_text(BASE + text)
    return load_template(str(path))


def test_a_name_a_mapping_and_a_list_of_both_say_what_is_checked(tmp_path: Path) -> None:
    python, sqlite = Check(syntax="python"), Check(syntax="sql", dialect="sqlite")
    node = Check(command=("node", "--check"), timeout=2.5)
    assert load(tmp_path, "check: {code: python}").checks == {"code": (python,)}
    assert load(tmp_path, "check: {code: {syntax: sql, dialect: sqlite}}").checks == {"code": (sqlite,)}
    listed = "check:\n  code: [python, {command: [node, --check], timeout: 2.5}]\n"
    assert load(tmp_path, listed).checks == {"code": (python, node)}
    assert load(tmp_path, "").checks == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("check:\n  code: pyton", ":6: check.code: must be 'json', 'python' or 'sql', got 'pyton'; did you mean"),
        ("check:\n  code:\n    - json\n    - jsn", ":8: check.code.1: must be 'json', 'python' or 'sql', got 'jsn'"),
        ("check: {text: json}", "check.text: 'text' is not an output field; there are: code"),
        ("check: {code: {}}", "check.code: needs either 'syntax' (json, python, sql) or 'command' (a list of words)"),
        ("check: {code: {syntax: json, command: [a]}}", "check.code: needs either 'syntax'"),
        ("check: {code: {command: node --check}}", "check.code.command: must be a list, got 'node --check'"),
        ("check: {code: {command: []}}", "check.code: needs either 'syntax'"),
        ("check: {code: {syntax: python, dialect: sqlite}}", "check.code.dialect: is only for 'syntax: sql'"),
        ("check: {code: {syntax: python, timeout: 3}}", "check.code.timeout: is only for 'command'"),
        ("check: {code: {command: [a], timeout: 0}}", "check.code.timeout: must be > 0, got 0"),
        ("check: {code: {comand: [a]}}", "check.code: unknown key 'comand'; did you mean 'command'?"),
        ("check: {code: []}", "check.code: needs at least 1, got []"),
        ("check: python", "check: must be a mapping of keys to values, got 'python'"),
        ("repair: 4", ":5: repair: must be <= 3, got 4"),
        ("repair: true", "repair: must be an integer, got true"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(TemplateError) as caught:
        load(tmp_path, text)
    assert told in str(caught.value)


def test_checks_and_repair_are_part_of_what_a_template_is(tmp_path: Path) -> None:
    digests = {
        load(tmp_path, text).digest for text in ("", "check: {code: json}", "check: {code: python}", "repair: 1")
    }
    assert len(digests) == 4


def test_editors_are_told_of_checks() -> None:
    schema = json_schema()
    assert "command" in schema["$defs"]["Check"]["properties"]
    assert "json" in str(schema["properties"]["check"])
    assert schema["properties"]["repair"]["maximum"] == 3
