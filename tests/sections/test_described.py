"""The JSON Schema of sections says of each field what its docstring says."""

from __future__ import annotations

from pydantic import BaseModel, Field

from vsgen.sections.described import DescribedSchema, descriptions


class _Inner(BaseModel):
    """A part."""

    depth: int = 0
    """How deep
    it is."""


class _Outer(BaseModel):
    """A whole."""

    width_: int = Field(default=1, alias="width")
    """How wide it is."""
    bare: int = 0
    inner: _Inner = _Inner()
    """What is inside."""

    def method(self) -> None:
        """Something else."""


def test_each_field_is_described_by_the_docstring_under_it() -> None:
    assert descriptions(_Outer) == {"width_": "How wide it is.", "inner": "What is inside."}
    assert descriptions(_Inner) == {"depth": "How deep\nit is."}


def test_descriptions_stand_in_the_schema_under_the_names_that_a_file_uses() -> None:
    made = _Outer.model_json_schema(schema_generator=DescribedSchema)
    assert made["properties"]["width"]["description"] == "How wide it is."
    assert "description" not in made["properties"]["bare"]
    assert made["$defs"]["_Inner"]["properties"]["depth"]["description"] == "How deep\nit is."
