"""Where an option's value comes from: the command line, then its variable, then the template, then the default."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from vsgen.cli.groups import LoadGroup
from vsgen.cli.menu import ENTRIES, command
from vsgen.cli.options import VARIABLES
from vsgen.errors import OptionError

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen
    from vsgen.jobs.wanted import ModelChoice

VALUES = {
    "VSGEN_MODEL": ("tiny", "here", None),
    "VSGEN_ENDPOINT": ("http://a.test", "http://b.test", None),
    "VSGEN_DEVICE": ("cuda", "cpu", None),
    "VSGEN_DTYPE": ("float16", "float32", None),
    "VSGEN_BATCH": ("7", "3", None),
    "VSGEN_ALLOW_MODEL": ("a/b c/d", "e/f", None),
    "VSGEN_SEED": ("7", "3", 0),
    "VSGEN_PROGRESS": ("none", "plain", "auto"),
}
"""A value of the variable, one of the option, and what holds without either."""


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def parsed(name: str, *words: str) -> dict[str, Any]:
    return command(name).make_context(name, list(words)).params


def options_of(variable: str) -> list[tuple[str, Any]]:
    """The commands that read a variable, and the option that it stands for."""
    found = [(name, one) for name in ENTRIES for one in command(name).params]
    return [(name, one) for name, one in found if getattr(one, "envvar", None) == variable]


@pytest.mark.parametrize("variable", VARIABLES)
def test_an_option_wins_over_its_variable_and_that_over_the_default_in_every_command(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    ours, typed, default = VALUES[variable]
    for name, option in options_of(variable):
        needed = ["x", "--to", "trl"] if name == "export" else ["x"]
        if name == "doctor":
            needed = []
        assert parsed(name, *needed)[option.name] == default
        with monkeypatch.context() as patched:
            patched.setenv(variable, "")
            assert parsed(name, *needed)[option.name] == default
            patched.setenv(variable, ours)
            assert _text(parsed(name, *needed)[option.name]) == ours
            given = _text(parsed(name, *needed, max(option.opts, key=len), typed)[option.name])
            assert given == (f"{typed} {ours}" if option.multiple else typed)


def _text(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def test_a_variable_wins_over_the_template_and_the_template_over_what_is_built_in(
    vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    template = tmp_path / "mine.yaml"
    template.write_text("name: mine\nversion: 1\nprompt: Say a day.\nmodel: /of/the/template\nnum: 1\n")
    assert "/of/the/template: " in vsgen("run", template, "--no-dedup").stderr
    monkeypatch.setenv("VSGEN_MODEL", "/of/the/variable")
    assert "/of/the/variable: " in vsgen("run", template, "--no-dedup").stderr
    assert "/of/the/option: " in vsgen("run", template, "--no-dedup", "-m", "/of/the/option").stderr


def test_the_seed_of_the_environment_draws_what_that_seed_draws(vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("run", "random-day", "-n", 2, "--no-dedup", "-q")
    three = vsgen(*command, "--seed", 3).stdout
    assert json.loads(three.splitlines()[0])["text"]
    assert vsgen(*command).stdout != three
    monkeypatch.setenv("VSGEN_SEED", "3")
    assert vsgen(*command).stdout == three


def chosen(*words: str) -> ModelChoice:
    values = parsed("doctor", *words)
    return _group(values).choice("tiny")


def _group(values: dict[str, Any]) -> LoadGroup:
    return LoadGroup(**{one.name: values[one.name] for one in fields(LoadGroup)})


def test_only_what_is_typed_counts_as_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSGEN_DEVICE", "cuda")
    monkeypatch.setenv("VSGEN_BATCH", "7")
    assert (chosen().device, chosen().typed, chosen().batch) == ("cuda", (), 7)
    assert (chosen("--device", "cpu").device, chosen("--device", "cpu").typed) == ("cpu", ("--device",))
    _group(parsed("doctor")).refuse("needs a model")
    with pytest.raises(OptionError, match="--batch: needs a model"):
        _group(parsed("doctor", "--batch", "7")).refuse("needs a model")


def test_models_may_be_allowed_by_both(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen("--allow-model", "a/b").allow == ("a/b",)
    monkeypatch.setenv("VSGEN_ALLOW_MODEL", "c/d e/f")
    assert chosen().allow == ("c/d", "e/f")
    assert chosen("--allow-model", "a/b").allow == ("a/b", "c/d", "e/f")


def test_nothing_that_lets_code_run_has_a_variable() -> None:
    for name in ENTRIES:
        for one in command(name).params:
            if one.name in {"allow_exec", "trust_remote_code", "allow_pickle"}:
                assert isinstance(one, typer.core.TyperOption) and one.envvar is None
