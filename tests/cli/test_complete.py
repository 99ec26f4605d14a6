"""Completion by Tab: what a shell's script asks, and what it is answered."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_start import HEAVY
from vsgen.cli.complete import _models

if TYPE_CHECKING:
    from tests.cli.conftest import Vsgen

ROOT = Path(__file__).parents[2]
MODULES = "import sys; from vsgen.__main__ import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"


def ask(folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What a shell's script does in a folder."""
    known = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HOME": str(folder / "hf"), **environment}
    known.pop("HF_HUB_CACHE", None)
    command = [sys.executable, "-c", MODULES]
    return subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, check=False)


def bash(folder: Path, line: str) -> list[str]:
    """The completions at the end of a line, whose words bash breaks at blanks and at =."""
    words = line.replace("=", " = ").split(" ") if "=" in line else line.split(" ")
    environment = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    ended = ask(folder, {"_VSGEN_COMPLETE": "complete_bash", **environment})
    assert ended.returncode == 0, ended.stderr
    assert not {*HEAVY} & {*ended.stderr.split()}
    return ended.stdout.split()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With templates, models and files of the user's own."""
    for name in ("reviews.yaml", "jokes.yml", "rows.jsonl", "small.gguf", "two words.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / "config.json").touch()
    for repo in ("models--org--small", "models--org--unfinished"):
        (tmp_path / "hf" / "hub" / repo / "refs").mkdir(parents=True)
    (tmp_path / "hf" / "hub" / "models--org--small" / "snapshots" / "abc").mkdir(parents=True)
    (tmp_path / "hf" / "hub" / "models--org--small" / "refs" / "main").write_text("abc")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("vsgen ru", ["run"]),
        ("vsgen --in", ["--install-completion"]),
        ("vsgen run ra", ["random-day", "random-item"]),
        ("vsgen run re", ["reviews.yaml"]),
        ("vsgen run jo", ["jokes", "jokes.yml"]),
        ("vsgen run jokes ", []),
        ("vsgen run --seed 3 -q ra", ["random-day", "random-item"]),
        ("vsgen templates re", []),
        ("vsgen templates jo", ["jokes"]),
        ("vsgen init x --from jo", ["jokes", "jokes.yml"]),
        ("vsgen run jokes -m ", ["tiny", "small.gguf", "trained", "org/small"]),
        ("vsgen doctor -m or", ["org/small"]),
        ("vsgen run jokes --method v", ["vs", "vs-cot", "vs-multi"]),
        ("vsgen label rows.jsonl --method v", ["votes", "verbalized"]),
        ("vsgen run jokes --on-error=s", ["stop", "skip"]),
        ("vsgen run jokes --dev", ["--device"]),
        ("vsgen run jokes --device c", ["cpu", "cuda"]),
        ("vsgen run jokes --dtype f", ["float32", "float16", "float64"]),
        ("vsgen run jokes -o ", []),
        ("vsgen run jokes --max-calls 3 --max-c", ["--max-cost"]),
        ("vsgen run jokes --set a=1 --se", ["--set", "--seed"]),
        ("vsgen export rows.jsonl --to j", ["jsonl"]),
        ("vsgen nonsense -", []),
    ],
)
def test_a_shell_completes_what_may_stand_there_and_imports_nothing_heavy_for_it(
    folder: Path, line: str, found: list[str]
) -> None:
    assert bash(folder, line) == found


def test_zsh_is_told_what_a_completion_is_and_completes_files_where_there_is_none(folder: Path) -> None:
    zsh = {"_VSGEN_COMPLETE": "complete_zsh"}
    listed = ask(folder, {**zsh, "_TYPER_COMPLETE_ARGS": "vsgen che"}).stdout
    assert listed == '_arguments \'*: :(("check":"Check a template and show what it asks."))\'\n'
    assert ask(folder, {**zsh, "_TYPER_COMPLETE_ARGS": "vsgen run jokes -o "}).stdout == "_files\n"


def test_fish_is_told_whether_there_is_anything_and_then_what(folder: Path) -> None:
    fish = {"_VSGEN_COMPLETE": "complete_fish", "_TYPER_COMPLETE_ARGS": "vsgen run jokes -m t"}
    assert ask(folder, {**fish, "_TYPER_COMPLETE_FISH_ACTION": "is-args"}).returncode == 0
    listed = ask(folder, {**fish, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}).stdout
    assert listed == "tiny\tthe embedded toy\ntrained\ta folder\n"
    files = {**fish, "_TYPER_COMPLETE_ARGS": "vsgen run jokes -o ", "_TYPER_COMPLETE_FISH_ACTION": "is-args"}
    assert ask(folder, files).returncode == 1


def test_bash_itself_completes_after_the_one_line_that_switches_it_on(folder: Path) -> None:
    home, program = folder / "home", folder / "bin" / "vsgen"
    home.mkdir()
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom vsgen.__main__ import main\nmain()\n")
    program.chmod(0o755)
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT), "HF_HOME": str(folder / "hf")}
    environment["PATH"] = f"{program.parent}:{environment['PATH']}"
    script = (
        "vsgen --install-completion; . ~/.bashrc; "
        "COMP_WORDS=(vsgen run --method v); COMP_CWORD=3; _vsgen_completion vsgen; echo ${COMPREPLY[@]}"
    )
    ended = subprocess.run(
        ["bash", "--norc", "-c", script], env=environment, cwd=folder, capture_output=True, text=True, check=True
    )
    *_, last = ended.stdout.splitlines()
    assert last == "vs vs-cot vs-multi", ended.stderr


def test_completion_that_cannot_be_switched_on_is_one_line(vsgen: Vsgen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    ended = vsgen("--install-completion")
    problem = "vsgen: --install-completion: the shell is not known; start vsgen from bash, zsh or fish\n"
    assert (ended.exit_code, ended.stdout, ended.stderr) == (2, "", problem)


def test_a_home_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    script = f"{sys.executable} -m vsgen --install-completion; echo $?"
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        ["bash", "--norc", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "4\n"
    assert ended.stderr.startswith(f"vsgen: {tmp_path / 'home'}") and "cannot be written: " in ended.stderr


def test_a_folder_of_another_user_is_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Path.is_file

    def is_file(path: Path) -> bool:
        if path.parent.name == "theirs":
            raise PermissionError(13, "Permission denied")
        return plain(path)

    (folder / "theirs").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HF_HUB_CACHE", str(folder / "hf" / "hub"))
    monkeypatch.setattr(Path, "is_file", is_file)
    assert [one.value for one in _models()] == ["tiny", "small.gguf", "trained", "org/small"]
