"""The command that is printed starts the program as it was started."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from vsgen.cli.again import going_on, remember
from vsgen.cli.menu import ENTRIES, command
from vsgen.cli.options import VARIABLES
from vsgen.files.places import Places

WORDS = ["run", "jokes", "-o", "out"]
SCRIPT = f"#!{sys.executable}\nfrom vsgen.__main__ import main\nmain()\n"
STRUCK = """\
import os, signal, sys
class Struck:
    def find_spec(self, name, *_):
        if name == "vsgen.backends.numeric.model":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Struck())
"""
"""Ctrl-C when the model is opened: Python runs it from a file of the name sitecustomize."""


def said(tmp_path: Path, *program: str, path: str = "") -> list[str]:
    """The words of the command that an interrupted one prints; it is started in `tmp_path`."""
    (tmp_path / "hook").mkdir(exist_ok=True)
    (tmp_path / "hook" / "sitecustomize.py").write_text(STRUCK)
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "hook"), root])}
    inactive = [one for one in os.environ["PATH"].split(os.pathsep) if Path(one) != Path(sys.executable).parent]
    environment["PATH"] = os.pathsep.join([*filter(None, [path]), *inactive])  # also where an environment is active
    stopped = subprocess.run(
        [*program, "run", "random-item", "-n", "2", "-o", "out.jsonl"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert stopped.returncode == 130, stopped.stderr
    (tmp_path / "out.jsonl.part").unlink()
    return shlex.split(stopped.stderr.rpartition(":\n  ")[2])


def test_the_program_is_started_as_it_was(tmp_path: Path) -> None:
    script = tmp_path / "bin" / "vsgen"
    script.parent.mkdir()
    script.write_text(SCRIPT)
    script.chmod(0o755)
    resumed = ["run", "--resume", "random-item", "-n", "2", "-o", "out.jsonl"]
    assert said(tmp_path, sys.executable, "-m", "vsgen") == [sys.executable, "-m", "vsgen", *resumed]
    assert said(tmp_path, "bin/vsgen") == ["bin/vsgen", *resumed]
    assert said(tmp_path, "vsgen", path=str(script.parent)) == ["vsgen", *resumed]
    script.chmod(0o644)
    assert said(tmp_path, sys.executable, "bin/vsgen") == [sys.executable, "bin/vsgen", *resumed]


def test_variables_that_were_set_are_set_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VSGEN_SEED", "5")
    monkeypatch.setenv("VSGEN_MODEL", "a model")
    remember(WORDS)
    *_, command = going_on(Places(tmp_path / "out")).splitlines()
    assert shlex.split(command) == [
        "env",
        "VSGEN_MODEL=a model",
        "VSGEN_SEED=5",
        "vsgen",
        "run",
        "--resume",
        *WORDS[1:],
    ]


@pytest.mark.parametrize("words", [["--proxy", "http://u:a@b:c@h:1"], ["--proxy=http://u:a@b:c@h:1"]])
def test_the_password_of_a_proxy_is_not_repeated(words: list[str], tmp_path: Path) -> None:
    remember([*WORDS, *words])
    said = going_on(Places(tmp_path / "out"))
    assert "http://u:PASSWORD@h:1" in said and "a@b" not in said


def test_every_variable_of_an_option_is_known() -> None:
    named = {getattr(one, "envvar", None) for name in ENTRIES for one in command(name).params}
    assert named - {None} == set(VARIABLES)


@pytest.mark.parametrize(
    ("places", "words"),
    [
        (Places(), "with -o FILE a run can be resumed"),
        (Places(journaled=False), "vsgen: interrupted"),
        (Places(Path("out"), inputs=["rows", "-"]), "To continue, give the same rows to standard input again:\n  "),
        (Places(Path("out"), inputs=["/dev/null"]), "To continue, give the same rows to /dev/null again:\n  "),
        (Places(Path("out")), "nothing is lost. To go on:\n  vsgen run --resume jokes -o out"),
        (Places(Path("out"), overwrite=True), "To go on:\n  vsgen run jokes -o out"),
        (Places(Path("out"), resume=True), "To go on:\n  vsgen run jokes -o out"),
        (Places(journal=Path("j")), "To go on:\n  vsgen run jokes -o out"),
    ],
)
def test_what_goes_on_is_the_same_command(places: Places, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    remember(WORDS)
    assert words in going_on(places)
