"""The final answer in a reply that may hold more, reasoning say: where it stands, and whether it is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import re2

from vsgen.sections.sandbox import compile_text
from vsgen.template.answer import as_text
from vsgen.template.patterns import check_length

ANSWER: Final = "answer"
"""What the final answer is called in expressions, in meta and among the labels."""


def check_place(place: str, fields: Sequence[str]) -> None:
    """See that an answer's place is the name of a field, or a regular expression with one group.

    Raises:
        ValueError: It is neither.
    """
    if place not in fields and _compiled(place).groups != 1:
        known = ", ".join(map(repr, fields))
        raise ValueError(
            f"must be an output field ({known}), or a regular expression with one group such as "
            f"'The answer is (-?\\d+)', got {place[:100]!r}"
        )


def find_answer(place: str, fields: Mapping[str, object]) -> str | None:
    """The final answer as text, without spaces around it; None if there is none.

    Args:
        place: The name of a field; else a regular expression, searched in the first field in linear time, of which the
            last match counts.
        fields: Of a candidate.
    """
    if place in fields:
        return as_text(fields[place]).strip() or None
    found: list[Any] = list(_compiled(place).finditer(as_text(next(iter(fields.values()), ""))))
    return (found[-1].group(1) or "").strip() or None if found else None


def as_condition(expression: str) -> str:
    """The text of Jinja that says ``yes`` where an expression holds."""
    return f"{{% if {expression} %}}yes{{% endif %}}"


def check_condition(expression: str) -> str:
    """See that an expression compiles.

    Raises:
        ValueError: It does not; a `TextProblem` with its line.
    """
    if not expression.strip() or "%}" in expression:
        raise ValueError(f"must be an expression of Jinja such as 'answer|int == a + b', got {expression[:100]!r}")
    compile_text(as_condition(expression))
    return expression


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    check_length(pattern)
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        reason = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"not a usable regular expression ({reason}): {pattern[:100]!r}") from None
