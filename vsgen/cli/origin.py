"""Which values of options come from the environment, for those who must tell the two apart.

An option that is typed where it means nothing is an error; a variable is only a default, and is not.
"""

from __future__ import annotations

import os
from typing import Any, Final

import typer


class OfVariable:
    """A value that a variable of the environment gave."""

    __slots__ = ()


class _Text(OfVariable, str):
    __slots__ = ()


class _Number(OfVariable, int):
    __slots__ = ()


class _Texts(OfVariable, list[str]):
    __slots__ = ()


_KINDS: Final[dict[type, type]] = {str: _Text, int: _Number, list: _Texts}


def with_origin(context: typer.Context, option: typer.CallbackParam, value: Any) -> Any:
    """The value of an option; an instance of `OfVariable` if its variable gave it.

    A list from the command line is followed by that of the variable: both allow.
    """
    if value is None:
        return None
    source = context.get_parameter_source(option.name)
    if source is not None and source.name == "ENVIRONMENT":
        return _KINDS[type(value)](value)
    if isinstance(value, list):
        return [*value, *os.environ.get(str(option.envvar), "").split()]
    return value
