"""What all commands have in common: their options, and how they read."""

from __future__ import annotations

import ast
from collections import Counter
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

import vsgen.cli
from vsgen.cli.app import app

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

COMMANDS = [info.name for info in app.registered_commands if info.name]
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
    for info in app.registered_commands:
        assert info.callback is not None
        module, name = info.callback.__module__, info.callback.__name__
        counts[name] = len(signature(getattr(__import__(module, fromlist=[name]), name)).parameters)
    assert max(counts.values()) <= 12, counts


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_help_text(vsgen: Vsgen, command: str) -> None:
    assert vsgen(command, "--help").exit_code == 0
    for parameter in typer.main.get_command(app).commands[command].params:  # type: ignore[attr-defined]
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
