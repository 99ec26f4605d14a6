"""Every extra of pyproject.toml has its remedy, and every remedy is a command that works."""

from __future__ import annotations

import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from vsgen.errors import OptionError
from vsgen.extras import EXTRAS, Extra, remedy, require

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
EACH = pytest.mark.parametrize("extra", sorted(EXTRAS))


def command(extra: Extra) -> list[str]:
    return shlex.split(remedy(extra).partition(": ")[2])


def test_the_extras_are_those_of_the_project_and_need_what_it_says() -> None:
    declared = {name: tuple(needed) for name, needed in PROJECT["optional-dependencies"].items() if name != "dev"}
    assert dict(EXTRAS) == declared


def test_the_base_installs_none_of_the_heavy_libraries() -> None:
    base = " ".join(PROJECT["dependencies"])
    assert not [name for name in ("torch", "transformers", "matplotlib", "datasets", "sqlglot") if name in base]


@EACH
def test_a_remedy_names_its_extra_and_installs_into_the_running_environment(extra: Extra) -> None:
    assert remedy(extra).startswith(f"install the extra {extra}: ")
    python, *rest = command(extra)
    assert Path(python).absolute() == Path(sys.executable).absolute()
    assert rest == ["-m", "pip", "install", *EXTRAS[extra]]


@EACH
def test_no_remedy_asks_a_registry_for_vsgen(extra: Extra) -> None:
    """The project that PyPI has under this name is another one."""
    assert not any("vsgen" in word for word in command(extra)[1:])


@pytest.mark.slow
def test_a_remedy_is_a_command_that_pip_carries_out() -> None:
    done = subprocess.run([*command("models"), "--no-index"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Requirement already satisfied" in done.stdout


@EACH
def test_what_is_installed_is_not_refused_and_what_is_absent_is_named(
    extra: Extra, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(extra, where="here", use="it")
    module = "sentence_transformers" if extra == "minilm" else EXTRAS[extra][-1].split(">")[0]
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(OptionError, match=rf"^here: it needs {module} \(not installed\); install the extra {extra}: "):
        require(extra, where="here", use="it")
    assert [word for word in command(extra)[4:] if not word.startswith(module.replace("_", "-"))] == []


def test_an_environment_without_pip_is_named_to_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    assert command("sql")[:4] == ["uv", "pip", "install", "--python"]
    assert command("sql")[5:] == ["sqlglot>=30,<31"]


def test_a_path_below_the_working_folder_is_shown_as_one_would_type_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "my env" / "python"))
    assert "'my env/python' -m pip install 'sqlglot>=30,<31'" in remedy("sql")


def test_a_remedy_needs_no_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert sys.executable in remedy("sql")
