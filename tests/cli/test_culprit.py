"""An error names what is really wrong, where it stands, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen


def test_a_misspelled_model_of_a_template_is_not_offered_for_download(vsgen: Vsgen, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("version: 1\nname: mine\nprompt: Say a day.\nmodel: tinny\n")
    ended = vsgen("run", path, "-n", 1, "--no-dedup")
    assert ended.exit_code == 2
    assert ended.stderr.startswith(f"vsgen: {path}:4: model: tinny: cannot be opened: ")
    assert "did you mean 'tiny'?" in ended.stderr
    assert "--allow-model" not in ended.stderr


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("prompt: |\n  A note\n  on {{ prodct }}.\n", 6),
        ("prompt: On {{ prodct }}.\n", 4),
        ("prompt: Hi.\nsystem: |\n  You sell\n\n  a {{ prodct }}.\n", 8),
        ("prompt: Hi.\nlabels:\n- name: fit\n  classes: [a, b]\n  prompt: |\n    Is it\n    {{ prodct }}?\n", 10),
    ],
)
def test_a_missing_variable_has_its_line_and_the_nearest_one_that_there_is(
    vsgen: Vsgen, tmp_path: Path, text: str, line: int
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"version: 1\nname: mine\nvariables: {{product: [a, b]}}\n{text}")
    ended = vsgen("run", path, "-n", 1)
    assert ended.exit_code == 2
    assert ended.stderr.startswith(f"vsgen: {path}:{line}: ")
    assert "missing variable 'prodct'; did you mean 'product'?" in ended.stderr


def test_an_output_in_a_folder_that_is_not_there_names_the_folder_before_anything_is_done(
    vsgen: Vsgen, tmp_path: Path
) -> None:
    folder = tmp_path / "no" / "where"
    for words in (("-o", folder / "out.jsonl"), ("-o", tmp_path / "out.jsonl", "--rejects", folder / "out.jsonl")):
        ended = vsgen("run", "random-item", "-n", 1, *words)
        assert ended.exit_code == 4
        expected = (
            f"{folder / 'out.jsonl'}: cannot be written: there is no folder {folder}; create it, or choose another path"
        )
        assert ended.stderr == f"vsgen: {expected}\n"


def test_a_temperature_at_which_any_model_writes_noise_is_refused(vsgen: Vsgen) -> None:
    ended = vsgen("run", "random-item", "-n", 1, "--temperature", 7)
    assert ended.exit_code == 2
    assert "--temperature: must be a number from 0 to 5, got '7'" in ended.stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            ("--max-calls", 4, "--method", "direct", "-k", 5),
            "--max-calls 4: one draw may take 5 replies; give at least 5",
        ),
        (("--max-tokens", 9), "--max-tokens 9: one draw may take "),
    ],
)
def test_a_budget_that_bears_no_draw_is_refused_before_a_model_is_opened(
    vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch, words: tuple[object, ...], problem: str
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("vsgen.jobs.desk.open_model", lambda name, **_: opened.append(name))
    ended = vsgen("run", "random-item", "-n", 2, "--no-dedup", *words)
    assert (ended.exit_code, opened) == (2, [])
    assert ended.stderr.startswith(f"vsgen: {problem}")


def test_a_budget_that_bears_a_draw_for_models_of_one_size_is_not_refused(vsgen: Vsgen, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "version: 1\nname: mine\nprompt: Name a random day of the week.\nsampling: {method: direct, k: 5}\n"
        "recommended: {small: {sampling.k: 1}}\n"
    )
    ended = vsgen("run", path, "-n", 1, "--no-dedup", "--max-calls", 1, "-m", "tiny")
    assert ended.exit_code == 1
    assert "--max-calls: 0 of 1 are used, and the next draw may need 5" in ended.stderr
