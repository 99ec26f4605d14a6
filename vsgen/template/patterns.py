r"""Regular expressions of a template: those of Rust, which search in linear time, and are small enough to be compiled.

They cannot look around or refer back. Compiled, a ``\w`` takes 100 kB, for it knows all of Unicode, and a counted
repetition takes its part as many times, so a pattern's `size` is reckoned before it is compiled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from pydantic_core import SchemaError as PatternError
from pydantic_core import SchemaValidator, core_schema

MAX_LENGTH: Final = 1_000
"""Characters of a pattern."""
MAX_SIZE: Final = 10_000
"""Characters of all patterns of a schema, or of all filters, with counted repetitions written out; 2 kB each."""
_SIZES: Final = {**dict.fromkeys("wWbBpP", 50), **dict.fromkeys("dDsS", 6)}
_CLOSES: Final = {"(": ")", "[": "]"}
_SPACED: Final = re.compile(r"\(\?[a-zA-Z]*x")
_PARTS: Final = re.compile(
    r"\\[pP](?:\{[^}]*\}|.)|\\[xuU](?:\{[^}]*\}|)|\\.|\[\^?\]?|\{(?P<least>\d+)(?:,(?P<most>\d*))?\}|.", re.DOTALL
)


def check_length(pattern: str) -> None:
    """See that a regular expression is short enough to be compiled.

    Raises:
        ValueError: It is not.
    """
    if len(pattern) > MAX_LENGTH:
        raise ValueError(f"pattern of {len(pattern)} characters: at most {MAX_LENGTH}")


@lru_cache(maxsize=256)
def pattern_finder(pattern: str) -> Callable[[str], bool]:
    """A search for `pattern` anywhere in a text, in time linear in the text.

    Raises:
        ValueError: The pattern is not a regular expression of that kind, or is too large.
    """
    if (cost := size(pattern)) > MAX_SIZE:
        raise ValueError(too_large(cost))
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python
    except PatternError as error:
        reason = str(error).rsplit("error: ", 1)[-1].split("SchemaError: ")[-1].strip()
        raise ValueError(f"not a usable regular expression ({reason}): {pattern!r}") from None


def too_large(cost: int) -> str:
    """What is said of patterns that are too large together."""
    return (
        f"patterns of {cost:,} characters with counted repetitions written out (\\w counts 50): at most {MAX_SIZE:,}; "
        "repeat less"
    )


def size(pattern: str) -> int:
    """Characters of a pattern, at least, with counted repetitions written out and classes counted by their size.

    Raises:
        ValueError: It is longer than `MAX_LENGTH`.
    """
    check_length(pattern)
    if _SPACED.search(pattern):  # spaces and comments may stand before a repetition
        bare = re.sub(r"\s", "", re.sub(r"#[^\n]*", "", pattern))
        return max(_size(pattern), _size(bare), _size(re.sub(r"\s", "", pattern)))
    return _size(pattern)


def _size(pattern: str) -> int:
    """The groups and classes that are open, each with its size so far; a bracket or brace in a class is a character."""
    open_, last = [("", 0)], 0
    for part in _PARTS.finditer(pattern):
        kind, total = open_[-1]
        in_class = kind == "["
        if part[0][0] == "[" or (part[0] == "(" and not in_class):
            open_.append((part[0][0], 1))
            continue
        if part[0] == _CLOSES.get(kind):
            last = open_.pop()[1]
        elif part["least"] is not None and not in_class:
            open_[-1] = (kind, total - last)
            last *= _times(part)
        elif part[0] in "*+?" and not in_class:
            continue
        else:
            last = _SIZES.get(part[0][1:2], 1)
        kind, total = open_[-1]
        open_[-1] = (kind, total + last)
    return sum(total for _, total in open_)


def _times(part: re.Match[str]) -> int:
    numbers: Iterator[int] = (int(digits[:9]) for digits in (part["least"], part["most"] or "0"))
    return max(*numbers, 1)
