"""How a check reports several problems at once, each with its place inside what was checked."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
ROOT: Final = "<root>"
"""First in the path of a problem that stands elsewhere in the template: the rest begins at the template."""
_LONGEST: Final = 100


def likeliest(word: str, words: Sequence[str]) -> str | None:
    """The word most like one that is unknown; None for long ones, whose comparison takes the square of their length."""
    short = [each for each in words if len(each) <= _LONGEST]
    found = get_close_matches(word, short, 1) if len(word) <= _LONGEST else []
    return found[0] if found else None


class TextProblem(ValueError):
    """A problem inside a text of several lines."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line
        """Counted from 1."""


class Misfit(ValueError):
    """Problems of a value, each as (path inside that value, message); a `TextProblem` gives the line in a text too."""

    def __init__(self, *problems: tuple[Path, str | TextProblem]) -> None:
        super().__init__("; ".join(str(message) for _, message in problems))
        self.problems: Sequence[tuple[Path, str | TextProblem]] = problems
