"""The small checks behind the fields of sections: each returns the value or raises a ValueError that says why not."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from vsgen.sections.sandbox import compile_text

_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_JINJA_WORDS: Final = (
    *("and", "or", "not", "in", "is", "if", "else", "elif", "endif", "for", "endfor", "loop", "self", "range"),
    *("true", "false", "none", "True", "False", "None"),
)
_LONGEST: Final = 100
_INT64: Final = 2**63


def check_slug(name: str) -> str:
    """A name that can be part of an id and of a file name."""
    if not _SLUG.fullmatch(name) or len(name) > _LONGEST:
        raise ValueError(f"must be lower-case letters, digits and '-', such as my-task, got {name[:100]!r}")
    return name


def check_name(name: str) -> str:
    """A name that can be written in a prompt as ``{{ name }}``."""
    if len(name) > _LONGEST:
        raise ValueError(f"must be at most {_LONGEST} characters long, got {len(name):,}")
    if not _NAME.fullmatch(name):
        raise ValueError(f"must be letters, digits and '_', not beginning with a digit, got {name[:100]!r}")
    if name in _JINJA_WORDS:
        raise ValueError(f"{name!r} is a word of Jinja; call it something else")
    return name


def check_text(text: str) -> str:
    """A text that compiles as Jinja and is not blank."""
    if not text.strip():
        raise ValueError("must not be empty")
    compile_text(text)
    return text


def check_value(value: object) -> str | int | float | bool | None:
    """A value of a variable: text, number, true, false or null, such that a row of JSON can hold it."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"must be finite, got {value}")
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        raise ValueError("is a number of more than 64 bits; quote it to make it text")
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(f"must be text, a number, true, false or null; {_unmapped(value) or 'use input rows for more'}")


def _unmapped(value: object) -> str:
    """How to write a text that YAML reads as a mapping because of its colon; empty for other values."""
    match value:
        case {**pairs} if len(pairs) == 1:
            (key, rest), *_ = pairs.items()
            text = f"{key}: {'' if rest is None else rest}".strip()
            plain = rest is None or isinstance(rest, str | int | float)
            shown = f": {json.dumps(text, ensure_ascii=False)}" if len(text) <= _LONGEST else ""
            return f"the colon makes this a mapping; put quotes around it{shown}" if plain else ""
    return ""


def check_weights(
    weights: dict[str | int | float | bool | None, float],
) -> dict[str | int | float | bool | None, float]:
    """Weights whose sum can be drawn from."""
    if not math.isfinite(sum(weights.values())):
        raise ValueError("the weights' sum must be finite")
    return weights


def as_list(value: object) -> object:
    """A list as the tuple that the models hold."""
    return tuple(value) if isinstance(value, list) else value


def as_tuple(value: object) -> object:
    """The same, where a single text stands for a list of one."""
    return (value,) if isinstance(value, str) else as_list(value)


def as_items(value: object) -> object:
    """The same, where anything but a list stands for a list of one."""
    return as_list(value) if isinstance(value, list | tuple) else (value,)


def shape_of_variable(value: object) -> str | None:
    """Tells the two forms of a variable apart."""
    if isinstance(value, Mapping):
        return "<weights>"
    return "<list>" if isinstance(value, list | tuple) else None


def repeated(names: Sequence[str]) -> list[tuple[int, str]]:
    """Positions and names of those that came before."""
    return [(i, name) for i, name in enumerate(names) if name in names[:i]]
