"""The ways to come by a template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

SHIPPED = {"jokes", "multiple-choice", "product-reviews", "random-day", "random-item", "story-openers"}


def test_templates_lists_and_prints(vsgen: Vsgen) -> None:
    assert {line.split()[0] for line in vsgen("templates").stdout.splitlines()} >= SHIPPED
    assert "name: jokes" in vsgen("templates", "jokes").stdout
    assert vsgen("templates", "joke").exit_code == 2


def test_templates_marks_what_rests_on_the_embedded_model_and_says_so_beside_the_data(vsgen: Vsgen) -> None:
    listed = vsgen("templates")
    rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    assert {mark for _, mark, _ in rows} == {"tiny"}
    assert all(description.endswith(".") for _, _, description in rows)
    (note,) = listed.stderr.splitlines()
    assert note.startswith("tiny: ") and "toy" in note and "vsgen/tiny/README.md" in note
    assert vsgen("templates", "jokes").stderr == ""


@pytest.mark.parametrize(
    ("options", "environment"), [(["-m", "/no/flag"], "/no/variable"), ([], "/no/variable"), (["-m", "/no/flag"], "")]
)
def test_flag_and_environment_win_over_the_templates_model(
    vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch, options: list[str], environment: str
) -> None:
    monkeypatch.setenv("VSGEN_MODEL", environment)
    ended = vsgen("run", "jokes", "-n", 1, "--no-dedup", *options)
    assert ended.exit_code == 3
    assert f"{options[-1] if options else environment}: cannot be opened" in ended.stderr


def test_every_shipped_template_is_good(vsgen: Vsgen) -> None:
    for line in vsgen("templates").stdout.splitlines():
        assert vsgen("check", line.split()[0]).exit_code == 0


def test_init_names_a_folder_that_is_missing_as_run_does(vsgen: Vsgen, tmp_path: Path) -> None:
    ended = vsgen("init", tmp_path / "data" / "reviews")
    assert ended.exit_code == 4 and f"there is no folder {tmp_path / 'data'}; create it" in ended.stderr


def test_init_starts_a_template_that_is_good_and_overwrites_nothing(vsgen: Vsgen, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    begun = vsgen("init", tmp_path / "mine")
    assert begun.exit_code == 0 and f"vsgen try {path} -m MODEL" in begun.stderr
    assert "mine@" in vsgen("check", path).stdout
    copied = tmp_path / "funny.yaml"
    assert vsgen("init", copied, "--from", "jokes").exit_code == 0
    assert "funny@" in vsgen("check", copied).stdout
    path.write_text("precious")
    assert vsgen("init", path).exit_code == 2
    assert path.read_text() == "precious"
    assert vsgen("init", tmp_path / "no" / "where.yaml").exit_code == 4


def test_schema_is_a_json_schema_that_refuses_unknown_keys(vsgen: Vsgen) -> None:
    schema = json.loads(vsgen("schema").stdout)
    assert schema["additionalProperties"] is False
    assert "sampling" in schema["properties"]


def test_doctor_names_what_is_installed(vsgen: Vsgen) -> None:
    shown = vsgen("doctor").stdout
    assert "torch" in shown and "cpu" in shown
