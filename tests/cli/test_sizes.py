"""What a model is decides how it is asked: `check -m` shows it, `run` does it and says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.backends.conftest import make_model, make_tokenizer

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

__all__ = ["make_model", "make_tokenizer"]

MakeModel = Callable[..., Path]
TEMPLATE = """\
version: 1
name: days
system: Be brief.
prompt: Name a day.
choices: [Monday, Sunday]
dedup: false
recommended:
  small: {sampling.method: direct, sampling.k: 2}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "days.yaml"
    path.write_text(TEMPLATE)
    return path


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_check_shows_the_prompt_as_a_chat_model_reads_it(vsgen: Vsgen, template: Path, make_model: MakeModel) -> None:
    folder = make_model()
    shown = vsgen("check", template, "-m", folder, "--set", "sampling.demonstrate=off").stdout
    assert f"[as {folder.name} reads it]" in shown
    assert "<|system|>Be brief.<|end|>\n<|user|>Name a day.<|end|>\n<|assistant|>" in shown
    assert "\nsettings   those that the template recommends for models of up to 3B parameters are in force\n" in shown
    assert "[reply pattern]\n ?(?:Monday|Sunday)" in shown


def test_check_shows_worked_exchanges_where_the_model_would_read_some(
    vsgen: Vsgen, template: Path, make_model: MakeModel
) -> None:
    shown = vsgen("check", template, "-m", make_model(), "--method", "vs", "-n", 1).stdout
    head, *turns = shown.split("<|user|>")
    assert head.split("<|system|>")[1].startswith("Be brief.\n\nGive 2 different answers")
    assert len(turns) == 2
    assert '{"responses": [{"text": ' in turns[0]
    assert "<|user|>" not in vsgen("check", template, "--method", "vs").stdout


def test_check_shows_a_base_model_a_document(vsgen: Vsgen, template: Path, make_model: MakeModel) -> None:
    base = make_model(chat=None)
    shown = vsgen("check", template, "-m", base, "--method", "vs", "-n", 1).stdout
    assert shown.count("Request:\n") == 2 and shown.count("Answer:\n") == 2
    assert "Request:\nName a day.\n\nAnswer:\n" in shown


def test_check_continues_a_base_models_lone_message(vsgen: Vsgen, tmp_path: Path, make_model: MakeModel) -> None:
    path = tmp_path / "tale.yaml"
    path.write_text("version: 1\nname: tale\nprompt: Once upon a time there\nprefill: was\n")
    asked = ("--method", "direct", "--set", "sampling.demonstrate=off")
    shown = vsgen("check", path, "-m", make_model(chat=None), *asked).stdout
    assert "reads it]\nOnce upon a time there was" in shown
    assert "Request:" not in shown


def test_check_prints_that_a_model_is_unsuited(vsgen: Vsgen, tmp_path: Path, make_model: MakeModel) -> None:
    path = tmp_path / "sums.yaml"
    path.write_text("version: 1\nname: sums\nprompt: Add.\nrecommended: {small: they cannot count}\n")
    shown = vsgen("check", path, "-m", make_model())
    assert shown.exit_code == 0
    assert "small models are not suited to this template: they cannot count" in shown.stdout
    assert "are in force" not in shown.stdout
    assert "\nunsuited   models of up to 3B parameters: they cannot count\n" in vsgen("check", path).stdout


def test_check_with_the_embedded_model_recommends_nothing(vsgen: Vsgen, template: Path) -> None:
    shown = vsgen("check", template, "-m", "tiny").stdout
    assert "[as tiny" in shown
    assert "are in force" not in shown


def test_check_names_a_model_that_is_not_there(vsgen: Vsgen, template: Path, tmp_path: Path) -> None:
    shown = vsgen("check", template, "-m", tmp_path / "nothing")
    assert shown.exit_code != 0
    assert "nothing" in shown.stderr and "Traceback" not in shown.stderr


def test_run_takes_what_is_recommended_and_says_so_in_every_row(
    vsgen: Vsgen, template: Path, tmp_path: Path, make_model: MakeModel
) -> None:
    out = tmp_path / "out.jsonl"
    ended = vsgen("run", template, "-m", make_model(), "-n", 3, "-o", out)
    assert ended.exit_code == 0, ended.stderr
    assert {(one["meta"]["method"], one["meta"]["recommended"]) for one in records(out)} == {("direct", "small")}
    assert {one["text"] for one in records(out)} <= {"Monday", "Sunday"}


def test_flags_win_over_what_is_recommended(
    vsgen: Vsgen, template: Path, tmp_path: Path, make_model: MakeModel
) -> None:
    out = tmp_path / "out.jsonl"
    ended = vsgen("run", template, "-m", make_model(), "-n", 2, "-o", out, "--method", "multi-turn")
    assert ended.exit_code == 0, ended.stderr
    assert {one["meta"]["method"] for one in records(out)} == {"multi-turn"}


def test_the_embedded_model_takes_no_recommendation(vsgen: Vsgen, template: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    vsgen("run", template, "-m", "tiny", "-n", 2, "-o", out, "--method", "direct")
    assert all("recommended" not in one["meta"] for one in records(out))


def test_run_warns_where_the_model_is_unsuited(vsgen: Vsgen, tmp_path: Path, make_model: MakeModel) -> None:
    path = tmp_path / "days.yaml"
    path.write_text(TEMPLATE.replace("{sampling.method: direct, sampling.k: 2}", "they repeat Monday"))
    ended = vsgen("run", path, "-m", make_model(), "-n", 2, "-o", tmp_path / "out.jsonl", "--method", "direct")
    assert "small models are not suited to this template: they repeat Monday" in ended.stderr
    assert all("recommended" not in one["meta"] for one in records(tmp_path / "out.jsonl"))


def test_a_bad_recommendation_ends_a_run_before_a_model_is_opened(vsgen: Vsgen, template: Path, tmp_path: Path) -> None:
    template.write_text(TEMPLATE.replace("sampling.k: 2", "sampling.k: 0"))
    ended = vsgen("run", template, "-m", tmp_path / "nothing", "-n", 1)
    assert ended.exit_code == 2
    assert "days.yaml:8: sampling.k: must be >= 1, got 0" in ended.stderr
    assert "nothing" not in ended.stderr
