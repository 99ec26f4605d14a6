"""What a user waits for before anything happens."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cli.conftest import Vsgen
from tests.cli.tickets import write
from vsgen import __version__
from vsgen.errors import ModelError
from vsgen.ports import LanguageModel
from vsgen.tiny import WEIGHTS

MODELS = ("torch", "transformers", "tokenizers", "sentence_transformers", "llguidance", "scipy")
HEAVY = ("torch", "transformers", "sentence_transformers", "numpy", "pydantic", "jinja2", "yaml", "llguidance")

PROBE = """
import sys
from vsgen.__main__ import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print(*sorted(set({heavy!r}) & sys.modules.keys()), file=sys.stderr)
"""


def heavy_after(*command: str, of: tuple[str, ...]) -> str:
    probe = [sys.executable, "-c", PROBE.format(heavy=of), *command]
    ended = subprocess.run(probe, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() or "-o" in command
    *_, loaded = ended.stderr.splitlines()  # notes for people may stand before the probe's own line
    return loaded


@pytest.mark.parametrize("command", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    assert heavy_after(*command, of=HEAVY) == ""


def test_a_command_imports_no_other_and_help_needs_no_library_for_colors() -> None:
    others = ("vsgen.cli.run", "vsgen.cli.export", "vsgen.jobs", "rich", "typer.rich_utils")
    assert heavy_after("label", "--help", of=others) == heavy_after("--help", of=others) == ""
    assert heavy_after("run", "--help", of=others) == "vsgen.cli.run"


def test_the_version_is_that_of_the_package() -> None:
    assert __version__ == version("vsgen")


@pytest.mark.parametrize(
    "command",
    [
        ["run", "--help"],
        ["measure", "--help"],
        ["check", "--help"],
        ["try", "--help"],
        ["templates"],
        ["check", "random-item"],
        ["schema"],
    ],
)
def test_what_needs_no_model_loads_none(command: list[str]) -> None:
    assert heavy_after(*command, of=MODELS) == ""


@pytest.mark.parametrize(
    ("command", "spared"),
    [
        (["check", "support-tickets"], ("numpy", "jsonschema", "vsgen.sections.described", "vsgen.sampling.power.smc")),
        (["check", "support-tickets", "-m", "tiny"], ("numpy", "llguidance", "vsgen.backends.decoding")),
        (["templates"], ("numpy", "jinja2", "yaml", "vsgen.template.schema")),
        (["schema"], ("numpy", "jsonschema")),
    ],
)
def test_what_a_command_does_not_use_is_not_loaded(command: list[str], spared: tuple[str, ...]) -> None:
    assert heavy_after(*command, of=spared) == ""


def test_the_embedded_model_needs_no_torch(tmp_path: Path) -> None:
    made = ("-o", str(tmp_path / "out.jsonl"), "--set", "dedup.embedder=hash")
    assert heavy_after("run", "random-item", "-n", "3", "-m", "tiny", *made, of=MODELS[:2]) == ""
    assert heavy_after("check", "random-item", "-m", "tiny", of=MODELS[:2]) == ""


def test_a_run_that_the_journal_answers_whole_loads_no_model(vsgen: Vsgen, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    command = ("run", "support-tickets", "-n", "3", "-o", str(output))
    assert vsgen(*command).exit_code == 0
    rows = output.read_bytes()
    output.unlink()
    assert heavy_after(*command, "--resume", of=MODELS) == ""
    assert output.read_bytes() == rows


def test_labels_and_judges_that_the_journal_answers_load_no_model(vsgen: Vsgen, tmp_path: Path) -> None:
    template, output = tmp_path / "judged.yaml", tmp_path / "out.jsonl"
    template.write_text(
        "name: judged\nversion: 1\nprompt: Say a day.\nlabels:\n"
        "- {name: kind, classes: [good, bad], prompt: 'What is {{ text }}?', model: " + str(WEIGHTS) + "}\n"
    )
    rows = write(tmp_path / "rows.jsonl", [{"text": "Monday"}, {"text": "Tuesday"}])
    command = ("label", str(rows), "--template", str(template), "-o", str(output))
    result = vsgen(*command)
    assert result.exit_code == 0, result.stderr
    labelled = output.read_bytes()
    output.unlink()
    assert heavy_after(*command, "--resume", of=MODELS) == ""
    assert output.read_bytes() == labelled


def test_a_model_that_is_gone_is_named_before_anything_is_replayed(vsgen: Vsgen, tmp_path: Path) -> None:
    folder, output = tmp_path / "model", tmp_path / "out.jsonl"
    shutil.copytree(WEIGHTS, folder)
    command = ("run", "random-item", "-n", "3", "-m", folder, "--no-dedup", "-o", output)
    assert vsgen(*command).exit_code in {0, 1}
    output.unlink()
    shutil.rmtree(folder)
    result = vsgen(*command, "--resume")
    assert result.exit_code == 3
    assert str(folder) in result.stderr
    assert not output.exists()


def test_a_model_that_cannot_be_opened_when_it_is_needed_ends_the_run(
    vsgen: Vsgen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out.jsonl"
    command = ("run", "random-day", "--no-dedup", "--method", "direct", "-o", output)
    assert vsgen(*command, "-n", 2).exit_code == 0

    def gone(*_: object, **__: object) -> LanguageModel:
        raise ModelError("the model is gone")

    monkeypatch.setattr("vsgen.jobs.desk.open_model", gone)
    result = vsgen(*command, "-n", 50, "--resume")
    assert result.exit_code == 3
    assert "the model is gone" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_a_command_runs_ends_a_log_as_any_other(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text(f"import os\nos.kill(os.getpid(), {int(number)})\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"}
    ends = []
    for words in (["run", "jokes"], ["run", "jokes", "--log-json"]):
        command = [sys.executable, "-m", "vsgen", *words]
        ends.append(subprocess.run(command, env=environment, capture_output=True, text=True, check=False))
    assert [one.returncode for one in ends] == [128 + number] * 2
    plain, logged = (one.stderr for one in ends)
    assert plain == "vsgen: interrupted\n"
    events = [json.loads(line) for line in logged.splitlines()]
    assert [one["event"] for one in events] == ["interrupted", "end"]
    assert {one["status"] for one in events} == {128 + number}
    assert all(datetime.fromisoformat(one["time"]).tzinfo for one in events)
