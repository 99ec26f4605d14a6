"""What all commands have in common: their options, and how they read."""

from __future__ import annotations

import ast
from collections import Counter
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import vsgen.cli
from vsgen.cli.menu import ENTRIES, command

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

ROOM = Path(vsgen.cli.__file__).parent


def declared() -> list[ast.Call]:
    """All options and arguments that the room declares."""
    calls = [node for file in ROOM.glob("*.py") for node in ast.walk(ast.parse(file.read_text()))]
    options = [ast.parse(name, mode="eval").body for name in ("typer.Option", "typer.Argument")]
    return [node for node in calls if isinstance(node, ast.Call) and ast.dump(node.func) in set(map(ast.dump, options))]


def test_no_option_is_declared_twice() -> None:
    helps = [ast.unparse(word.value) for call in declared() for word in call.keywords if word.arg == "help"]
    assert len(helps) > 60
    assert [text for text, count in Counter(helps).items() if count > 1] == []


def test_a_command_has_few_parameters_of_its_own() -> None:
    counts = {}
    for name, entry in ENTRIES.items():
        module, _, function = entry.place.partition(":")
        counts[name] = len(signature(getattr(import_module(f"vsgen.cli.{module}"), function)).parameters)
    assert max(counts.values()) <= 12, counts


@pytest.mark.parametrize("name", ENTRIES)
def test_every_option_has_a_help_text(name: str) -> None:
    for parameter in command(name).params:
        assert getattr(parameter, "help", None), parameter.name


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("check", "random-item"), "jobs.preview.preview"),
        (("targets",), "jobs.targets.find_targets"),
        (("templates",), "template.catalog.describe"),
        (("schema",), "template.schema.json_schema"),
    ],
)
def test_ctrl_c_ends_a_command_that_asks_no_model_with_its_status(
    vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], place: str
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"vsgen.{place}", interrupted)
    ended = vsgen(*words)
    assert (ended.exit_code, ended.stdout, ended.stderr) == (130, "", "vsgen: interrupted\n")
