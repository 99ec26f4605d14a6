"""What is wrong with a command line, in the form of all our errors: where, what, what was given, and what to write.

typer's own messages name neither the variable that a value comes from nor what to write instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from typer.core import TyperArgument, TyperOption

from vsgen.cli.menu import ENTRIES
from vsgen.cli.page import read_text, usage, value_name
from vsgen.errors import OptionError
from vsgen.files.endings import TEMPLATES

_MOVED: Final[Mapping[str, str]] = {"--evaluate": "is a command of its own: vsgen measure, with the same options"}
"""Options that are gone, and what replaces them."""
_SYNONYMS: Final[Mapping[str, str]] = {
    "classify": "label",
    "evaluate": "measure",
    "generate": "run",
    "list": "templates",
    "new": "init",
    "preview": "try",
    "validate": "check",
}
"""What other tools call a command."""
_NUMBERS: Final[Mapping[object, str]] = {int: "an integer", float: "a number"}


@contextmanager
def usage_errors(context: Any, words: Sequence[str]) -> Iterator[None]:
    """Turn what typer finds wrong with the words of a command into an error of ours.

    Args:
        context: The command's, of typer.
        words: What stands after its name.

    Raises:
        OptionError: The words cannot be read.
    """
    given = list(words)  # the parser empties its own
    try:
        yield
    except Exception as error:
        if getattr(error, "exit_code", None) != OptionError.status or not hasattr(error, "ctx"):
            raise  # typer's errors have no public root
        raise OptionError(_problem(error, context, given)) from None


def refuse_empty_names(context: Any, words: Sequence[str]) -> None:
    """See that no file has an empty name, as a variable that is not set leaves it; a `Path` of it would be a folder.

    Args:
        context: The command's, of typer.
        words: What stands after its name.

    Raises:
        OptionError: One has.
    """
    values, _, _ = context.command.make_parser(context).parse_args(list(words))
    for parameter in context.command.params:
        if values.get(parameter.name) == "" and parameter.type_descriptor.annotation is Path:
            raise OptionError(f"{_as_typed(parameter, words)}: is empty; give a file's name")


def no_such_command(name: str) -> OptionError:
    """The error that names the command which was probably meant."""
    if name.endswith(TEMPLATES):
        return OptionError(f"{name}: not a command but a template; write: vsgen run {name}")
    meant = _SYNONYMS.get(name) or _nearest(name, ENTRIES)
    return OptionError(f"{name}: no such command; {_did_you_mean(meant)}vsgen --help lists the commands")


def _problem(error: Any, context: Any, words: list[str]) -> str:
    match type(error).__name__:
        case "NoSuchOption":
            return _no_such_option(error.option_name, context)
        case "MissingParameter":
            return _missing(error.param, context)
        case "BadParameter":
            return _bad_value(error.param, context, words)
        case "BadOptionUsage":
            return _bad_use(error.option_name, context)
    _, rest, _ = context.command.make_parser(context).parse_args(list(words))
    if not rest:
        return str(error.message)
    return f"{rest[0]}: one argument too many; usage: {usage(context.command_path, context.command.params)}"


def _no_such_option(name: str, context: Any) -> str:
    if why := _MOVED.get(name):
        return f"{name}: {why}"
    path = context.command_path
    if context.parent is None:
        return f"{name}: no such option before a command; options follow it, as in: {path} run TEMPLATE {name}"
    known = [one for option in context.command.params for one in (*option.opts, *option.secondary_opts)]
    meant = _nearest(name.lstrip("-"), [one.lstrip("-") for one in known if one.startswith("--")])
    return f"{name}: no such option of {path}; {_did_you_mean(meant and f'--{meant}')}{path} --help lists the options"


def _missing(parameter: Any, context: Any) -> str:
    name = parameter.metavar if isinstance(parameter, TyperArgument) else max(parameter.opts, key=len)
    choices = _choices(parameter)
    which = f"; choose {_or(choices)}" if choices else ""
    first, *_ = read_text(context.command.help or "").examples
    return f"{name}: missing{which}; for example: {first}"


def _bad_value(parameter: Any, context: Any, words: list[str]) -> str:
    options, _, _ = context.command.make_parser(context).parse_args(list(words))
    source = context.get_parameter_source(parameter.name)
    typed = source is None or source.name != "ENVIRONMENT"
    value = options.get(parameter.name) if typed else parameter.value_from_envvar(context)
    where = _as_typed(parameter, words) if typed else parameter.envvar
    if choices := _choices(parameter):
        meant = _nearest(str(value), choices)
        return f"{where}: must be {_or(choices)}, got {value!r}{f'; did you mean {meant}?' if meant else ''}"
    return f"{where}: must be {_kind(parameter)}, got {value!r}"


def _bad_use(name: str, context: Any) -> str:
    """A flag with a value, or an option without one."""
    option = next(one for one in context.command.params if name in (*one.opts, *one.secondary_opts))
    if option.is_flag:
        return f"{name}: takes no value; write {name} alone"
    return f"{name}: needs a value, as in: {name} {value_name(option)}"


def _kind(parameter: Any) -> str:
    kind = _NUMBERS.get(parameter.type_descriptor.annotation, "a value of another kind")
    match parameter.min, parameter.max:
        case None, None:
            return kind
        case least, None:
            return f"{kind} >= {least}"
        case least, most:
            return f"{kind} from {least} to {most}"


def _choices(parameter: Any) -> list[str]:
    kind = parameter.type_descriptor
    return [str(one) for one in kind.choices or ()]


def _as_typed(option: TyperOption, words: Sequence[str]) -> str:
    """The name of an option that stands in the command line, of those that it has."""
    typed = [name for name in option.opts for word in words if word.partition("=")[0] == name or _joined(word, name)]
    return next(iter(typed), max(option.opts, key=len))


def _joined(word: str, name: str) -> bool:
    return len(name) == 2 and word.startswith(name) and not word.startswith("--")


def _nearest(name: str, known: Iterable[str]) -> str | None:
    """The name that was meant: one that begins as this does, else one that is spelled nearly so."""
    names = list(known)
    begun = [one for one in names if len(name) > 2 and one.startswith(name)]
    return next(iter(begun or get_close_matches(name, names, 1)), None)


def _did_you_mean(meant: str | None) -> str:
    return f"did you mean {meant}? " if meant else ""


def _or(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
