"""When two answers count as the same: section `dedup` of a template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from vsgen.sections.misfit import Misfit
from vsgen.sections.prices import Prices
from vsgen.sections.section import Section, Strings
from vsgen.sections.validators import as_list

Guard: TypeAlias = Literal["numbers", "negation"]


HASH_THRESHOLD: Final = 0.80
"""Spelling varies more among copies than meaning does; measured in docs/dedup.md."""
MODEL_THRESHOLD: Final = 0.92


def _threshold(settings: Mapping[str, object]) -> float:
    """What fits the embedder, which stands before it among the settings."""
    return HASH_THRESHOLD if settings.get("embedder") == "hash" else MODEL_THRESHOLD


class Dedup(Section):
    """When two answers count as the same."""

    embedder: str = Field(default="hash", min_length=1)
    """hash compares spelling, without a model; minilm, or the id or folder of a sentence-transformers model, compares
    meaning and needs the extra `minilm`."""
    endpoint: str | None = Field(default=None, min_length=1, exclude_if=lambda value: value is None)
    """The URL of the server that the embedder is on (OpenAI's /v1/embeddings); run is the server of the model that
    writes. Without it, the embedder runs in this process."""
    prices: Prices | None = Field(default=None, exclude=True)
    """What the tokens of this embedder cost, in USD per million, where it is behind a URL."""
    threshold: float = Field(default_factory=_threshold, gt=0, le=1)
    """Answers with at least this cosine similarity are duplicates; by default 0.80 for hash and 0.92 for all others."""
    on: Strings = ()
    """Output fields that are compared; by default the first one."""
    guards: Annotated[tuple[Guard, ...], BeforeValidator(as_list)] = ("numbers", "negation")
    """Differences that an embedding does not see: answers that differ in them are never duplicates."""

    @model_validator(mode="after")
    def _named(self) -> Dedup:
        if self.endpoint is not None and "embedder" not in self.model_fields_set:
            raise Misfit((("endpoint",), "needs 'embedder', the embedder's name on that server"))
        return self

    @property
    def place(self) -> str:
        """Names the embedder among the models of a run."""
        return self.embedder if self.endpoint is None else f"{self.embedder}@{self.endpoint}"


def shape_of_dedup(value: object) -> str:
    """Tells ``dedup: false`` from a section."""
    return "<off>" if value is False else "<dedup>"
