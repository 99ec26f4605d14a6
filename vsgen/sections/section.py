"""What the sections of a template have in common."""

from __future__ import annotations

from typing import Annotated

from annotated_types import MinLen
from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from vsgen.sections.validators import as_tuple

Strings = Annotated[
    tuple[Annotated[str, MinLen(1)], ...],
    BeforeValidator(as_tuple),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""A list of texts; a single one stands for a list of one."""


class Section(BaseModel):
    """A mapping of a template: unknown keys are errors, nothing is converted, and it cannot be changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
