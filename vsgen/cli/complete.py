"""What may stand at the cursor of a command line: commands, options, and the values that this machine knows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from typer.core import TyperArgument, TyperOption

from vsgen.cli.menu import ENTRIES
from vsgen.files.endings import TEMPLATES
from vsgen.terminal import harmless


class Found(NamedTuple):
    """A completion."""

    value: str
    about: str = ""


def completions(group: Any, words: Sequence[str], typed: str) -> list[Found]:
    """All that may stand there, in order; nothing where only a file or a free text may.

    Args:
        group: The commands, of typer.
        words: What stands before the cursor, after the name of the program.
        typed: The beginning of the word at the cursor.
    """
    name = next((word for word in words if not word.startswith("-")), None)
    if name is None:
        options = _options(group.params) if typed.startswith("-") else _commands()
        return _begun(options, typed)
    if name not in ENTRIES:
        return []
    parameters = group.get_command(None, name).params
    option, joined, value = typed.partition("=")
    if joined and (known := _by_name(parameters).get(option)):
        return [Found(f"{option}={one.value}", one.about) for one in _begun(_values(known, name), value)]
    return _begun(_possible(parameters, name, words[words.index(name) + 1 :], typed), typed)


def _possible(parameters: Sequence[Any], name: str, words: Sequence[str], typed: str) -> Iterable[Found]:
    named, free, waiting = _by_name(parameters), 0, None
    for word in words:
        if waiting is not None:
            waiting = None
        elif word in named:
            waiting = None if named[word].is_flag else named[word]
        elif not word.startswith("-"):
            free += 1
    if waiting is not None:
        return _values(waiting, name)
    if typed.startswith("-"):
        return _options([one for one in parameters if one.multiple or not {*one.opts} & {*words}])
    arguments = [one for one in parameters if isinstance(one, TyperArgument)]
    return _values(arguments[free], name) if free < len(arguments) else ()


def _by_name(parameters: Iterable[Any]) -> dict[str, TyperOption]:
    options = [one for one in parameters if isinstance(one, TyperOption)]
    return {name: one for one in options for name in (*one.opts, *one.secondary_opts)}


def _begun(all_: Iterable[Found], typed: str) -> list[Found]:
    """Those that begin as typed, and that a line of a shell can hold as they are."""
    return [one for one in all_ if one.value.startswith(typed) and _is_plain(one.value)]


def _is_plain(value: str) -> bool:
    return harmless(value) == value and len(value.split()) == 1 and not set(value) & set("'\"\\$`()")


def _commands() -> Iterator[Found]:
    return (Found(name, entry.summary) for name, entry in ENTRIES.items())


def _options(parameters: Iterable[Any]) -> Iterator[Found]:
    for one in parameters:
        if isinstance(one, TyperOption):
            yield from (Found(name, one.help or "") for name in (*one.opts, *one.secondary_opts))


def _values(parameter: Any, command: str) -> Iterable[Found]:
    """The values of an option or argument, where they can be listed."""
    if (choices := parameter.type_descriptor.choices) is not None:
        return [Found(str(one)) for one in choices]
    if command == "templates":
        return _shipped()
    return _LISTED[parameter.name]() if parameter.name in _LISTED else ()


def _templates() -> Iterator[Found]:
    yield from _shipped()
    yield from (Found(one.name) for one in _here() if one.name.endswith(TEMPLATES))


def _shipped() -> Iterator[Found]:
    from vsgen.template.catalog import describe

    return (Found(name, entry.description) for name, entry in describe().items())


def _models() -> Iterator[Found]:
    """The embedded model, files and folders here, and what is in the cache of the Hugging Face hub."""
    from vsgen.backends.hub import cached_repositories

    yield Found("tiny", "the embedded toy")
    here = _here()
    yield from (Found(one.name, "a file") for one in here if one.name.endswith(".gguf"))
    yield from (Found(one.name, "a folder") for one in here if _holds_model(one))
    yield from (Found(name, "on this machine") for name in cached_repositories())


def _devices() -> Iterator[Found]:
    return map(Found, ("auto", "cpu", "cuda", "mps"))


def _number_formats() -> Iterator[Found]:
    from vsgen.cli.groups import DTYPES

    return map(Found, DTYPES)


def _here() -> list[os.DirEntry[str]]:
    """What is in this folder, by name; of each entry no more is read than its kind, since there may be many."""
    try:
        with os.scandir() as found:
            return sorted(found, key=lambda one: one.name)
    except OSError:
        return []


def _holds_model(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir() and Path(entry, "config.json").is_file()
    except OSError:  # another user's
        return False


_LISTED: Final[Mapping[str, Callable[[], Iterable[Found]]]] = {
    "template": _templates,
    "model": _models,
    "tokenizer": _models,
    "device": _devices,
    "dtype": _number_formats,
}
"""Parameters whose values this machine can list."""
