"""One warning, and what it depends on besides the template: how the template will be used."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from vsgen.template.schema import Template
from vsgen.texts import about_tokens
from vsgen.values import Prompt


class TemplateWarning(NamedTuple):
    """What is doubtful, where, and what to do."""

    where: str
    """File and line, or the flag."""
    text: str
    """The key and what is doubtful about it."""
    remedy: str

    def __str__(self) -> str:
        """The warning as one line."""
        return f"{self.where}: {self.text}; {self.remedy}"

    @property
    def line(self) -> int:
        """The line in the template; 0 if a flag is meant, or a default."""
        last = self.where.rpartition(":")[2]
        return int(last) if last.isdecimal() else 0


@dataclass(frozen=True, slots=True)
class Use:
    """How a template will be used."""

    num: int | None = None
    """Rows that are wanted; None where nobody says."""
    rows: bool = False
    """Whether input rows come, whose fields are variables and win over the template's."""
    tokens: Callable[[str], int] = about_tokens
    """Counts the tokens of a text."""
    prompts: Callable[[Prompt], int] | None = None
    """Counts the tokens of a prompt as the model reads it; None where that is not known."""
    fields: Collection[str] = ()
    """Those of the first input row, once it is there."""


Rule: TypeAlias = Callable[[Template, Use], Iterator[TemplateWarning]]
"""Finds what is doubtful in one respect."""


def warning(
    template: Template, path: tuple[str | int, ...], text: str, remedy: str, *, word: str = ""
) -> TemplateWarning:
    """A warning about one key.

    Args:
        template: In which it stands.
        path: Of the key; of one that has its default, the section's place is given.
        text: What is doubtful.
        remedy: What to do.
        word: In the key's text, whose line is given.
    """
    places = (template.place(path[:end], word) for end in range(len(path), 0, -1))
    where = next((place for place in places if place != template.source), template.source)
    dotted = ".".join(map(str, path))
    return TemplateWarning(where, f"{dotted}: {text}", remedy)


def quoted(value: object) -> str:
    """A value as a warning shows it."""
    return json.dumps(value, ensure_ascii=False, default=str)[:60]
