"""The JSON Schema of a section, with the docstring under each field as its description.

Pydantic can read docstrings too, but does it whenever a section is defined, which takes as long as all else that a
command does before it starts. Here they are read when the schema is made.
"""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from textwrap import dedent
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


class DescribedSchema(GenerateJsonSchema):
    """Makes the schemas of sections, their fields described."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """The schema of one section."""
        made, section = super().model_schema(schema), schema["cls"]
        properties: dict[str, dict[str, Any]] = made["properties"]
        for name, text in descriptions(section).items():
            properties[section.model_fields[name].alias or name]["description"] = text
        return made


def descriptions(section: type[BaseModel]) -> dict[str, str]:
    """The docstring under each field of a section, by the field's name."""
    (made,) = ast.parse(dedent(inspect.getsource(section))).body
    lines = made.body if isinstance(made, ast.ClassDef) else []
    found = {}
    for field, below in pairwise(lines):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                if name in section.model_fields:
                    found[name] = inspect.cleandoc(text)
    return found
