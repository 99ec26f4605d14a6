"""The command line that goes on where an interrupted one stopped: what was typed, and ``--resume`` where it is needed.

Its words are those that the process was started with, so it asks for the same whatever their values look like. The
password of a proxy alone is left out, since what is printed often ends in a log.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vsgen.cli.options import OPENAI_BASE, VARIABLES
from vsgen.errors import EndpointError, FullError, OutputError, Unanswered
from vsgen.terminal import harmless, is_terminal

if TYPE_CHECKING:
    from vsgen.files.places import Places

_NAME: Final = "vsgen"
_INGEST: Final = "--ingest-batch"
_URLS: Final = frozenset({"VSGEN_ENDPOINT", OPENAI_BASE})
_SECRET: Final = frozenset("@?#")
"""What only a URL has that may hold a password or a key; no endpoint's URL has any, so that such a one is not used."""
_PROXY: Final = "--proxy"
_PASSWORD: Final = re.compile(r"(://[^/@:]*:).*@")
_typed: ContextVar[list[str]] = ContextVar("typed")


def remember(words: Sequence[str]) -> None:
    """Keep the words of the command line, as they were typed after the name of the program."""
    _typed.set(list(words))


def going_on(places: Places) -> str:
    """How to go on with the interrupted command whose files these are, in one or two lines.

    The same words go on: with ``--overwrite`` what was asked is in the journal by now. Without a flag they would meet
    what they left themselves, and ``--resume`` is with them.
    """
    if places.journal_path is None:
        return "vsgen: interrupted; with -o FILE a run can be resumed" if places.journaled else "vsgen: interrupted"
    fed = " and ".join(_fed(places))
    how = f"To continue, give the same rows to {fed} again" if fed else "To go on"
    return f"vsgen: interrupted; nothing is lost. {how}:\n  {_goes_on(places)}"


def next_round(wait: Unanswered, places: Places) -> str:
    """What waits to be answered, and the command that goes on with the results, in two lines.

    Args:
        wait: Which calls were written where.
        places: The files of the command.
    """
    fed = " and ".join(_fed(places))
    given = f" (and give the same rows to {fed} again)" if fed else ""
    words = [_INGEST, "RESULTS", *_without(_typed.get()[1:])]
    again = " ".join(map(_quoted, _line(_typed.get()[:1], ["--resume", *words])))
    return f"vsgen: {wait}{given}:\n  {again}"


def with_space(error: FullError, places: Places) -> OutputError:
    """The same error, with the command that goes on once there is space; as it is where nothing is left to go on with.

    Args:
        error: What had no space.
        places: The files of the command.
    """
    if places.journal_path is None:
        return error
    fed = " and ".join(_fed(places))
    then = f"give the same rows to {fed} again" if fed else "run"
    return OutputError(f"{error.problem}; free some space, then {then}:\n  {_goes_on(places)}")


def once_well(error: EndpointError, places: Places) -> EndpointError:
    """The same error of a server that has answered before, with the command that goes on; as it is without a journal.

    Args:
        error: Why the server is not asked any more.
        places: The files of the command.
    """
    if places.journal_path is None:
        return error
    fed = " and ".join(_fed(places))
    how = f"To continue, give the same rows to {fed} again" if fed else "To go on"
    return EndpointError(f"{error}\nvsgen: what was answered is kept. {how}:\n  {_goes_on(places)}", http=error.http)


def _goes_on(places: Places) -> str:
    resumes = places.file is not None and not (places.resume or places.overwrite)
    return " ".join(map(_quoted, _command(resumes=resumes)))


def _quoted(word: str) -> str:
    """A word as a shell reads it; where a terminal would obey it, in the quotes of bash and zsh that spell it out."""
    if not is_terminal(sys.stderr) or harmless(word) == word:
        return shlex.quote(word)
    plain = (
        chr(byte) if 0x20 <= byte < 0x7F and chr(byte) not in "'\\" else f"\\x{byte:02x}" for byte in os.fsencode(word)
    )
    return f"$'{''.join(plain)}'"


def _fed(places: Places) -> Iterator[str]:
    """The inputs that no file holds: whoever fed them has to do so again."""
    for name in places.inputs:
        if name == "-":
            yield "standard input"
        elif Path(name).exists() and not Path(name).is_file():
            yield name


def _command(*, resumes: bool) -> list[str]:
    command, *others = _typed.get()
    return _line([command], [*(["--resume"] if resumes else []), *others])


def _line(command: list[str], others: list[str]) -> list[str]:
    return [*_environment(), *_program(_typed.get()), *command, *_without_password(others)]


def _without_password(words: list[str]) -> Iterator[str]:
    for before, word in pairwise(["", *words]):
        named = before == _PROXY or word.startswith(f"{_PROXY}=")
        yield _PASSWORD.sub(r"\1PASSWORD@", word) if named else word


def _without(words: list[str]) -> list[str]:
    """The words without what a further round says otherwise: the results of this one, and how it began."""
    end = words.index("--") if "--" in words else len(words)
    kept, left = list[str](), iter(words[:end])
    for word in left:
        if word == _INGEST:
            next(left, None)
        elif word not in {"--resume", "--overwrite"} and not word.startswith(f"{_INGEST}="):
            kept.append(word)
    return [*kept, *words[end:]]


def _environment() -> list[str]:
    """The variables that the command has read, since the next shell may not have them."""
    set_here = {name: os.environ[name] for name in (*VARIABLES, OPENAI_BASE) if name in os.environ}
    known = [f"{name}={value}" for name, value in set_here.items() if name not in _URLS or not _SECRET & {*value}]
    return ["env", *known] if known else []


def _program(words: list[str]) -> list[str]:
    """What the process was started with, before the words of the command."""
    before = sys.orig_argv[: -len(words)]
    if sys.orig_argv[len(before) :] != words or sys.argv[:1] == ["-c"] or sys.argv[1:] != words:
        return [_NAME]  # called from Python
    python, *others = before
    if len(others) == 1 and os.access(others[0], os.X_OK):
        return [_found(others[0])]
    return [_found(python if shutil.which(python) else sys.executable), *others]


def _found(program: str) -> str:
    """Its bare name, where a shell finds it by that."""
    name = Path(program).name
    place = shutil.which(name)
    return name if place is not None and Path(place).absolute() == Path(program).absolute() else program
