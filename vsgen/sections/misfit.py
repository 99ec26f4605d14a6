"""The error by which a check reports several problems at once, each with its place inside what was checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]


class Misfit(ValueError):
    """Problems of a value, each as (path inside that value, message)."""

    def __init__(self, *problems: tuple[Path, str]) -> None:
        super().__init__("; ".join(message for _, message in problems))
        self.problems: Sequence[tuple[Path, str]] = problems


class TextProblem(ValueError):
    """A problem inside a text of several lines."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line
        """Counted from 1."""
