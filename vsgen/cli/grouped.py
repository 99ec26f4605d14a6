"""Commands whose parameters are groups of options.

typer makes an option of each parameter of a function and knows no groups. `grouped` spreads the fields of a parameter
that is a dataclass, and puts the dataclass together again when the command is called. So an option that several
commands share is declared once, and a command has a few parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import MISSING, Field, fields, is_dataclass
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from typer.models import ParameterInfo

from vsgen.cli.page import HELP

Command = Callable[..., None]
_HELP: Final = Parameter("help", Parameter.KEYWORD_ONLY, default=False, annotation=HELP)


def grouped(command: Command) -> Command:
    """The same command with every option as a parameter of its own, for typer.

    A group is a dataclass whose fields are options (``Annotated[..., typer.Option(...)]``); its ``panel``, if it has
    one, is the heading under which ``--help`` lists them.

    Raises:
        TypeError: An option is named twice.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    parameters = [*_spread(command, hints, groups), _HELP]
    names = [parameter.name for parameter in parameters]
    if twice := {name for name in names if names.count(name) > 1}:
        raise TypeError(f"{command.__name__}: {', '.join(sorted(twice))}: is an option of two groups")

    def gathered(**values: Any) -> None:
        values.pop("help", None)
        made = {}
        for name, group in groups.items():
            made[name] = group(**{one.name: values.pop(one.name) for one in fields(group)})
        command(**values, **made)

    gathered.__name__, gathered.__doc__, gathered.__module__ = command.__name__, command.__doc__, command.__module__
    gathered.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    vars(gathered)["__signature__"] = Signature(parameters)
    return gathered


def _spread(command: Command, hints: Mapping[str, Any], groups: Mapping[str, Any]) -> Iterator[Parameter]:
    for name, parameter in signature(command).parameters.items():
        if name not in groups:
            yield Parameter(name, Parameter.KEYWORD_ONLY, default=parameter.default, annotation=hints[name])
            continue
        group = groups[name]
        annotations = get_type_hints(group, include_extras=True)
        for one in fields(group):
            shown = _under(getattr(group, "panel", None), annotations[one.name])
            yield Parameter(one.name, Parameter.KEYWORD_ONLY, default=_default(one), annotation=shown)


def _default(one: Field[Any]) -> Any:
    return Parameter.empty if one.default is MISSING else one.default


def _under(panel: str | None, annotation: Any) -> Any:
    """An option as it is declared, but under a heading, unless it names one itself."""
    if panel is None or get_origin(annotation) is not Annotated:
        return annotation
    kind, *notes = get_args(annotation)
    placed = [copy(note) for note in notes if isinstance(note, ParameterInfo)]
    for note in placed:
        note.rich_help_panel = note.rich_help_panel or panel
    others = [note for note in notes if not isinstance(note, ParameterInfo)]
    return Annotated[(kind, *others, *placed)]
