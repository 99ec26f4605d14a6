"""The pages of ``--help``: usage, text, options under headings, exit status, and examples at the end."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Annotated, Any, Final, NamedTuple, TypeAlias, cast

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from vsgen.cli.menu import MENU
from vsgen.cli.options import PANELS
from vsgen.cli.printed import Heading, show

_WIDEST: Final = 100
_FIXED: Final = "\xa0"
"""A space at which no line ends."""
_OTHER: Final = "Options"
_STATUS: Final = "Exit status:"
_EXAMPLES: Final = "Examples:"
_VALUES: Final[Mapping[type, str]] = {int: "N", float: "X"}

Parameter: TypeAlias = TyperOption | TyperArgument


class Text(NamedTuple):
    """The help text of a command, by its parts."""

    paragraphs: Sequence[str]
    status: str
    examples: Sequence[str]


def read_text(text: str) -> Text:
    """The parts of a docstring; the paragraph of the exit status and the examples stand last."""
    about, _, examples = text.partition(f"{_EXAMPLES}\n")
    paragraphs = [" ".join(part.split()) for part in about.split("\n\n") if part.strip()]
    status = [part for part in paragraphs if part.startswith(_STATUS)]
    commands = [line.strip() for line in examples.splitlines() if line.strip()]
    return Text([part for part in paragraphs if part not in status], "".join(status), commands)


def page(command: TyperCommand | TyperGroup, path: str, width: int) -> Iterator[str]:
    """A help page.

    Args:
        command: Whose.
        path: Its name, after that of the program.
        width: Of the page, in columns.
    """
    text = read_text(command.help or "")
    group = isinstance(command, TyperGroup)
    parameters = [one for one in command.params if isinstance(one, TyperOption | TyperArgument) and not one.hidden]
    parameters = [one for one in parameters if group or one.name != "help"]
    yield from _wrapped(f"Usage: {usage(path, parameters, group=group)}", width, " " * len("Usage: "))
    for paragraph in text.paragraphs:
        yield from ("", *_wrapped(paragraph, width, start="  "))
    for heading, rows in (*(_menu() if group else ()), *_panels(parameters)):
        yield from ("", Heading(f"{heading}:"), *_table(rows, width))
    if text.status:
        yield from ("", Heading(_STATUS), *_wrapped(text.status.removeprefix(_STATUS).strip(), width, start="  "))
    if text.examples:
        yield from ("", Heading(_EXAMPLES), *(line for one in text.examples for line in _example(one, width)))


def usage(path: str, parameters: Iterable[Any], *, group: bool = False) -> str:
    """How a command is written: its arguments, then its options."""
    arguments = [one for one in parameters if isinstance(one, TyperArgument)]
    names = [_bare(one) if one.required else f"[{_bare(one)}]" for one in arguments]
    needed = [
        f"{_longest(one)} {value_name(one)}" for one in parameters if isinstance(one, TyperOption) and one.required
    ]
    return " ".join([path, *(["COMMAND"] if group else []), *names, *needed, "[OPTIONS]"])


def spelling(option: Parameter) -> str:
    """An option as a user writes it, with its value: ``-o, --output FILE``."""
    if isinstance(option, TyperArgument):
        return _bare(option)
    names = sorted(option.opts, key=len)
    short = f"{names[0]}, " if len(names) > 1 else "" if len(names[0]) == 2 else "    "
    long = "/".join([names[-1], *option.secondary_opts])
    return f"{short}{long} {value_name(option)}".rstrip()


def described(option: Parameter) -> str:
    """What an option does, its variable and its default."""
    notes = [f"${option.envvar}"] if option.envvar else []
    if option.default not in (None, "") and not isinstance(option.default, bool):
        notes.append(f"default: {option.default}")
    if option.required and isinstance(option, TyperOption):
        notes.append("required")
    notes = [note.replace(" ", _FIXED) for note in notes]
    return f"{option.help or ''} [{', '.join(notes)}]" if notes else option.help or ""


def _bare(argument: TyperArgument) -> str:
    return (argument.metavar or argument.name.upper()).strip("[]")


def _longest(option: TyperOption) -> str:
    return max(option.opts, key=len)


def value_name(option: TyperOption) -> str:
    """What stands for the value; nothing for a flag."""
    if option.is_flag:
        return ""
    if option.metavar:
        return option.metavar
    kind = option.type_descriptor
    if kind.choices is not None:
        return "|".join(map(str, kind.choices))
    if kind.is_path:
        return "FILE"
    return _VALUES.get(kind.annotation, option.name.upper())


def _menu() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for heading, entries in MENU.items():
        yield heading, [(name, entry.summary) for name, entry in entries.items()]


def _panels(parameters: Sequence[Parameter]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Headings and options: arguments, a command's own headings, then those that all commands share."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in parameters:
        heading = "Arguments" if isinstance(one, TyperArgument) else one.rich_help_panel or _OTHER
        found.setdefault(heading, []).append((spelling(one), described(one)))
    last = [heading for heading in (*PANELS, _OTHER) if heading in found]
    yield from ((heading, found[heading]) for heading in [*(one for one in found if one not in last), *last])


def _table(rows: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    """Two columns; a long first one has a line of its own."""
    most = 28 if width >= 80 else 22
    start = min(max(len(term) for term, _ in rows), most) + 4
    for term, text in rows:
        first, *others = [line.replace(_FIXED, " ") for line in _wrapped(text, max(width - start, 20))] or [""]
        if len(term) > start - 4:
            yield f"  {term}"
            yield f"{'':{start}}{first}"
        else:
            yield f"  {term:{start - 4}}  {first}".rstrip()
        yield from (f"{'':{start}}{line}" for line in others)


def _wrapped(text: str, width: int, hang: str = "", start: str = "") -> list[str]:
    return wrap(
        text,
        width,
        initial_indent=start,
        subsequent_indent=hang or start,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _example(command: str, width: int) -> Iterator[str]:
    """A command that a shell reads, on as many lines as it needs."""
    lines = [""]
    for piece in re.split(r" (?=-)", command):
        if len(lines[-1]) + len(piece) > width - 7 and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {piece}".strip()
    yield from (f"  {'  ' if number else ''}{line} \\" for number, line in enumerate(lines[:-1]))
    yield f"  {'  ' if len(lines) > 1 else ''}{lines[-1]}"


def show_page(context: typer.Context) -> None:
    """Print the help page of a command."""
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    command = cast(TyperCommand, context.command)  # its declared type is private to typer
    show(*page(command, context.command_path, width))


def _show(context: typer.Context, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        show_page(context)
        raise typer.Exit


HELP = Annotated[
    bool,
    typer.Option("-h", "--help", is_eager=True, expose_value=False, callback=_show, help="Show this page."),
]
"""The option of every command."""
