"""A law: the command that an interrupted one prints, run as printed, ends with the bytes of an uninterrupted run."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from typer.testing import CliRunner, Result

from tests.cli.tickets import tickets, write
from vsgen.cli.app import app
from vsgen.files.journal import FileJournal
from vsgen.files.lines import FileLines
from vsgen.files.places import Places
from vsgen.jobs.carry import Carried
from vsgen.jobs.desk import Desk


class Case(NamedTuple):
    """A command that is interrupted."""

    words: str
    before: str = ""
    """A command whose output is there already."""
    stdin: bool = False
    """Its rows come from standard input."""
    environment: str = ""
    """A variable that it is started with, and that the next shell does not have."""
    status: int = 0


_QUEUE: Final = "--name category --classes billing,bug,how-to -m tiny"
_RUN: Final = "run story-openers -n 6 --patience 0 --set dedup.embedder=hash"
CASES: Final = {
    "run": Case(f"{_RUN} -o out.jsonl --rejects rejects.jsonl"),
    "overwritten with another seed": Case(f"{_RUN} -o out.jsonl --overwrite --seed 1", f"{_RUN} -o out.jsonl"),
    "label": Case(f"label rows.jsonl {_QUEUE} -o out.jsonl"),
    "measure": Case("measure random-day --samples 4 -o out.jsonl"),
    "overwritten with another template": Case(
        f"{_RUN.replace('story-openers', 'jokes')} -o out.jsonl --overwrite", f"{_RUN} -o out.jsonl"
    ),
    "overwritten with other rejects": Case(
        f"{_RUN} -o out.jsonl --rejects rejects.jsonl --overwrite", f"{_RUN} -o out.jsonl"
    ),
    "continued": Case(f"{_RUN} -o out.jsonl --resume", f"{_RUN.replace('-n 6', '-n 3')} -o out.jsonl"),
    "grown": Case(f"label more.jsonl {_QUEUE} -o out.jsonl --resume", f"label rows.jsonl {_QUEUE} -o out.jsonl"),
    "short": Case(f"{_RUN.replace('-n 6', '-n 60')} -o out.jsonl --max-calls 3", status=1),
    "another journal": Case(f"{_RUN} -o out.jsonl --journal 'the calls'"),
    "names to be quoted": Case(f"""{_RUN} -o "a folder/it's \\$HOME; \\"x\\" *" --rejects 'ré jects'"""),
    "a name that is no text": Case(f"{_RUN} -o out\udcff.jsonl"),
    "arguments behind --": Case("run -n 6 -o out.jsonl --set dedup.embedder=hash -- jokes rows.jsonl"),
    "values like options": Case("label rows.jsonl --name n --classes a,b -m tiny --prompt --overwrite -o out.jsonl"),
    "standard input": Case(f"label - {_QUEUE} -o out.jsonl", stdin=True),
    "rows once": Case("run jokes - --set dedup.embedder=hash -o out.jsonl", stdin=True),
    "a variable": Case(f"{_RUN} -o out.jsonl", environment="VSGEN_SEED=5"),
    "rows on standard output": Case(f"{_RUN} --journal calls.journal"),
}
QUICK: Final = ("run", "overwritten with another seed", "standard input")

MOMENTS: Final[dict[str, tuple[type, str, int, bool]]] = {
    "before the part is there": (Places, "open_outputs", 1, False),
    "when the part is there": (Places, "open_outputs", 1, True),
    "when the journal is opened": (Places, "open_journal", 1, True),
    "when the journal has its first line": (FileJournal, "begin", 1, True),
    "before a model is opened": (Desk, "__enter__", 1, False),
    "at the third reply": (FileJournal, "add", 3, False),
    "at the second row": (FileLines, "write", 2, True),
    "before FILE appears": (FileLines, "finish", 1, False),
    "when a file has appeared": (FileLines, "finish", 1, True),
    "when FILE has appeared": (Carried, "_end", 1, False),
    "at the last line of the journal": (FileJournal, "end", 1, True),
}
"""What is interrupted: a method, at which call, before or behind it."""


def struck(monkeypatch: pytest.MonkeyPatch, kind: type, name: str, count: int, *, behind: bool) -> None:
    """Ctrl-C at a call of a method, once."""
    plain, calls = getattr(kind, name), iter(range(1, 1_000_000))

    def method(*args: Any, **kwargs: Any) -> Any:
        now = next(calls) == count
        if now and not behind:
            raise KeyboardInterrupt
        value = plain(*args, **kwargs)
        if now:
            raise KeyboardInterrupt
        return value

    monkeypatch.setattr(kind, name, method)


def vsgen(folder: Path, words: list[str], case: Case) -> Result:
    rows = (folder / "rows.jsonl").read_bytes() if case.stdin else None
    with chdir(folder):
        return CliRunner().invoke(app, [words[0], "-m", "tiny", *words[1:]], input=rows)


def prepared(folder: Path, case: Case) -> Path:
    """A folder with what is there before the command."""
    (folder / "a folder").mkdir(parents=True)
    rows = [{"animal": f"animal {n}", "text": one["text"]} for n, one in enumerate(tickets(6))]
    write(folder / "rows.jsonl", rows[:4])
    write(folder / "more.jsonl", rows)
    if case.before:
        assert vsgen(folder, shlex.split(case.before), case).exit_code == 0
    return folder


_BESIDE: Final = re.compile("(journal|vectors|calls)$")


def left(folder: Path) -> dict[str, bytes]:
    """All files but journals, whose lines tell of every run, and vectors."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if not re.search(r"journal$|vectors$|calls$", path.name)
    }


def printed(said: bytes) -> list[str]:
    """The words of the command that is printed, as a shell takes them, after the name of the program."""
    *_, command = said.decode("utf-8", "surrogateescape").split(":\n  ")
    program, *words = shlex.split(command)
    if program == "env":
        assert words.pop(0) == "VSGEN_SEED=5"
        program = words.pop(0)
    at = words.index("-m")
    assert program == "vsgen" and words[at : at + 2] == ["-m", "tiny"]
    return [*words[:at], *words[at + 2 :]]


ALL: Final = [
    pytest.param(name, moment, marks=() if name in QUICK else pytest.mark.slow) for name in CASES for moment in MOMENTS
]


class Undisturbed(NamedTuple):
    """A command that nothing interrupts."""

    before: Path
    """A folder with what is there before it."""
    files: dict[str, bytes]
    """What is there behind it."""
    stdout: str


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Undisturbed]:
    """Each case, run once."""

    @cache
    def ended(name: str) -> Undisturbed:
        case, folder = CASES[name], tmp_path_factory.mktemp("undisturbed")
        before = prepared(folder / "before", case)
        whole = shutil.copytree(before, folder / "whole")
        with environment(case):
            result = vsgen(whole, shlex.split(case.words), case)
        assert result.exit_code == case.status, result.stderr
        return Undisturbed(before, left(whole), result.stdout)

    return ended


@contextmanager
def environment(case: Case) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        if case.environment:
            patched.setenv(*case.environment.split("="))
        yield


@pytest.mark.parametrize(("name", "moment"), ALL)
def test_the_printed_command_ends_with_the_bytes_of_an_uninterrupted_run(
    name: str,
    moment: str,
    undisturbed: Callable[[str], Undisturbed],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case, whole, (kind, method, count, behind) = CASES[name], undisturbed(name), MOMENTS[moment]
    folder = Path(shutil.copytree(whole.before, tmp_path / "struck"))
    with monkeypatch.context() as patched, environment(case):
        struck(patched, kind, method, count, behind=behind)
        stopped = vsgen(folder, shlex.split(case.words), case)
    if stopped.exit_code == case.status:
        pytest.skip("it has no such moment")
    assert stopped.exit_code == 130, stopped.output
    with environment(case if "\n  env VSGEN" in stopped.stderr else CASES["run"]):
        ended = vsgen(folder, printed(stopped.stderr_bytes), case)
    assert ended.exit_code == case.status, ended.stderr
    assert left(folder) == whole.files and ended.stdout == whole.stdout
    assert ("give the same rows to standard input again" in stopped.stderr) == case.stdin
