"""Operators and comparisons that pay for their work, and the tests, which are comparisons by name.

Arithmetic is done with numbers of bounded size alone; Python's ``%`` and ``*`` would format and repeat texts.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from jinja2 import Undefined
from jinja2.tests import TESTS as JINJAS

from vsgen.sections.rendering import Rendering, whole

Test: TypeAlias = Callable[..., bool]
"""Of a rendering, a value, and what it is compared with."""
_ATOMS: Final = (int, float, type(None))
_OF_A_KIND: Final = (
    *("boolean", "defined", "false", "float", "integer", "iterable", "mapping", "none", "number", "sequence"),
    *("string", "true", "undefined"),
)


def _numbers(operator: str, *numbers: object) -> None:
    for number in numbers:
        if isinstance(number, Undefined):
            str(number)  # raises what is undefined
        if not isinstance(number, int | float):
            raise TypeError(f"'{operator}' works on numbers only")
        if isinstance(number, int):
            whole(number)


def reckoned(operator: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """An operator, on numbers of bounded size alone."""

    def reckon(*numbers: Any) -> Any:
        _numbers(operator, *numbers)
        return function(*numbers)

    return reckon


def added(rendering: Rendering, left: Any, right: Any) -> Any:
    """The sum of two numbers; two texts or two lists as one."""
    if isinstance(left, int | float) and isinstance(right, int | float):
        _numbers("+", left, right)
    else:
        rendering.weigh(left)
        rendering.weigh(right)
    return left + right


def _compared(compare: Callable[[Any, Any], bool]) -> Test:
    def compared(rendering: Rendering, left: Any, right: Any) -> bool:
        if not (isinstance(left, _ATOMS) and isinstance(right, _ATOMS)):
            rendering.read(left, right)
        return compare(left, right)

    return compared


def _within(rendering: Rendering, value: Any, whole: Any) -> bool:
    if isinstance(value, str) and isinstance(whole, str):
        rendering.search(value, whole)
    elif isinstance(whole, Mapping):
        rendering.read(value)
    else:
        rendering.read(value, whole)
    return value in whole


def _cased(method: Callable[[str], bool]) -> Test:
    return lambda rendering, value: method(rendering.text(value))


def _of_a_kind(test: Any) -> Test:
    return lambda _, value: bool(test(value))


def _divisible(_: Rendering, value: Any, number: Any) -> bool:
    return bool(_remainder(value, number) == 0)


_remainder: Final = reckoned("%", operator.mod)

COMPARISONS: Final[Mapping[str, Test]] = {
    "eq": _compared(operator.eq),
    "ne": _compared(operator.ne),
    "lt": _compared(operator.lt),
    "lteq": _compared(operator.le),
    "gt": _compared(operator.gt),
    "gteq": _compared(operator.ge),
    "in": _within,
    "notin": lambda rendering, value, whole: not _within(rendering, value, whole),
}
"""By Jinja's names for its operators."""

TESTS: Final[Mapping[str, Test]] = {
    **{name: _of_a_kind(JINJAS[name]) for name in _OF_A_KIND},
    "divisibleby": _divisible,
    "even": lambda rendering, value: _divisible(rendering, value, 2),
    "odd": lambda rendering, value: not _divisible(rendering, value, 2),
    "lower": _cased(str.islower),
    "upper": _cased(str.isupper),
    "in": _within,
    **dict.fromkeys(("==", "eq", "equalto"), COMPARISONS["eq"]),
    **dict.fromkeys(("!=", "ne"), COMPARISONS["ne"]),
    **dict.fromkeys(("<", "lt"), COMPARISONS["lt"]),
    **dict.fromkeys(("<=", "le"), COMPARISONS["lteq"]),
    **dict.fromkeys((">", "gt"), COMPARISONS["gt"]),
    **dict.fromkeys((">=", "ge"), COMPARISONS["gteq"]),
}
"""By the name behind ``is``."""
