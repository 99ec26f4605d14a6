"""Versions, and what is to be installed."""

from __future__ import annotations

import platform
from importlib.metadata import version

import pytest

from vsgen.extras import EXTRAS, remedy
from vsgen.jobs.health import software
from vsgen.jobs.health.finding import Finding


def by_name() -> dict[str, Finding]:
    return {one.name: one for one in software.software()}


def without(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    plain = software._version
    monkeypatch.setattr(software, "_version", lambda name: None if name in packages else plain(name))


def test_python_vsgen_and_its_libraries_have_their_versions() -> None:
    found = by_name()
    assert found["python"].value.startswith(platform.python_version())
    assert version("vsgen") in found["vsgen"].value
    assert f"jinja2 {version('jinja2')}" in found["libraries"].value
    assert "torch" not in found["libraries"].value
    assert [name.removeprefix("extra ") for name in found if name.startswith("extra ")] == list(EXTRAS)


def test_an_extra_of_which_a_library_is_missing_has_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "sqlglot", "torch")
    found = by_name()
    assert (found["extra sql"].state, found["extra sql"].remedy) == ("absent", remedy("sql"))
    assert found["extra models"].value == "not installed: torch"
    assert found["extra plots"].state == "ok"


def test_a_library_that_every_command_needs_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "jinja2")
    found = by_name()["libraries"]
    assert (found.state, found.status, found.value) == ("problem", 2, "no jinja2")
    assert found.remedy.endswith("-m pip install jinja2")
