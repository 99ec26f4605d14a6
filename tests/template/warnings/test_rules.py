"""All rules together: no false alarm on what vsgen ships and shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsgen.template.catalog import shipped
from vsgen.template.examples import Size
from vsgen.template.load import load_template
from vsgen.template.warnings.rules import template_warnings
from vsgen.template.warnings.warning import Use

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(ROOT.glob("examples/*/*.yaml"))


@pytest.mark.parametrize("size", [None, "small", "large"])
@pytest.mark.parametrize("name", list(shipped()))
def test_no_shipped_template_is_warned_of(name: str, size: Size | None) -> None:
    template = load_template(name, (), size)
    assert template_warnings(template, Use(template.num)) == []


@pytest.mark.parametrize("file", EXAMPLES, ids=[file.stem for file in EXAMPLES])
def test_no_example_is_warned_of(file: Path) -> None:
    assert template_warnings(load_template(str(file)), Use(rows=True)) == []


def test_a_new_template_is_not_warned_of() -> None:
    starter = ROOT / "vsgen" / "template" / "starter.yaml"
    assert template_warnings(load_template(str(starter)), Use(100)) == []


def test_warnings_come_in_the_order_of_the_lines(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(
        "version: 1\nname: t\nprompt: Say a word.\nnum: 90\nvariables:\n  a: [1, 1]\n"
        "labels:\n  - {name: b, classes: [x, X], prompt: 'Why?'}\nkeep: probability > 1\n"
    )
    lines = [one.line for one in template_warnings(load_template(str(file)), Use(90))]
    assert lines == sorted(lines)
    assert set(lines) == {3, 6, 8, 9}
