"""Completion by Tab: what a shell asks, and what it is answered.

typer's scripts ask; its answers are not used, since they parse and convert the whole command line first, which takes
three times as long.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout, suppress
from io import StringIO
from typing import Any, Final, NamedTuple

import typer

from vsgen.cli.complete import Found, completions
from vsgen.cli.printed import show
from vsgen.errors import OptionError, OutputError

_VARIABLE: Final = "_VSGEN_COMPLETE"
_ODD: Final = re.compile(r"[^\w ,.;/-]")
"""What a description loses, since zsh evaluates it."""
_FILES: Final = "_files"
"""With it zsh completes files."""


class Asked(NamedTuple):
    """A command line with Tab pressed."""

    words: Sequence[str]
    """After the name of the program, before the word that is typed."""
    typed: str
    """The beginning of the word at the cursor."""


def answer(group: Any, environment: Mapping[str, str]) -> str | None:
    """What to print for the shell that asks; None if none asks, or PowerShell, which typer answers.

    Raises:
        SystemExit: For fish, whose script asks first whether there is anything.
    """
    match environment.get(_VARIABLE):
        case "complete_bash":
            return "\n".join(one.value for one in completions(group, *_of_bash(environment)))
        case "complete_zsh":
            found = completions(group, *_of_line(environment))
            listed = "\n".join(map(_for_zsh, found))
            return f"_arguments '*: :(({listed}))'" if found else _FILES
        case "complete_fish":
            found = completions(group, *_of_line(environment))
            if environment.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
                raise SystemExit(0 if found else 1)
            return "\n".join(f"{one.value}\t{one.about}" if one.about else one.value for one in found)
    return None


def install(context: typer.Context, option: typer.CallbackParam) -> None:
    """Write the script for the shell that vsgen was started from, where that shell looks for it.

    Raises:
        OptionError: The shell is not known.
        OutputError: The script cannot be written.
    """
    from typer.completion import install_callback

    printed = StringIO()
    try:
        with redirect_stdout(printed), suppress(SystemExit):
            install_callback(context, option, True)
    except typer.Exit:
        name = f"--{option.name.replace('_', '-')}"
        raise OptionError(f"{name}: the shell is not known; start vsgen from bash, zsh or fish") from None
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be written: {error.strerror}; check HOME") from error
    first, *_ = printed.getvalue().splitlines()
    show(f"{first}; open a new terminal to use it")


def _of_bash(environment: Mapping[str, str]) -> Asked:
    """Its words are those of the line, where ``=`` is one of its own."""
    words = environment.get("COMP_WORDS", "").split("\n")[1 : int(environment.get("COMP_CWORD", "0")) + 1]
    *before, typed = words or [""]
    if typed == "=":
        return Asked(before, "")
    if before and before[-1] == "=":
        before.pop()
    return Asked(before, typed)


def _of_line(environment: Mapping[str, str]) -> Asked:
    line = environment.get("_TYPER_COMPLETE_ARGS", "")
    try:
        _, *words = shlex.split(line) or [""]
    except ValueError:  # a quotation that is not closed yet
        _, *words = line.split() or [""]
    if not words or line.endswith(" "):
        return Asked(words, "")
    return Asked(words[:-1], words[-1])


def _for_zsh(one: Found) -> str:
    value = one.value.replace(":", r"\\:")
    return f'"{value}":"{_ODD.sub("", one.about)}"' if one.about else f'"{value}"'
