"""When two answers count as the same: section `dedup` of a template."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from vsgen.sections.section import Section, Strings
from vsgen.sections.validators import as_list

Guard: TypeAlias = Literal["numbers", "negation"]


class Dedup(Section):
    """When two answers count as the same."""

    threshold: float = Field(default=0.92, gt=0, le=1)
    """Cosine similarity from which on an answer is a duplicate."""
    on: Strings = ()
    """Output fields that are compared; by default the first one."""
    embedder: str = Field(default="minilm", min_length=1)
    """minilm, or the id or folder of a sentence-transformers model."""
    guards: Annotated[tuple[Guard, ...], BeforeValidator(as_list)] = ("numbers", "negation")
    """Differences that an embedding does not see: answers that differ in them are never duplicates."""


def shape_of_dedup(value: object) -> str:
    """Tells ``dedup: false`` from a section."""
    return "<off>" if value is False else "<dedup>"
