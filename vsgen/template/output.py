"""What one answer looks like, and the patterns that it must or must not hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from annotated_types import MinLen
from pydantic import AfterValidator, Field, PrivateAttr, field_validator, model_validator

from vsgen.sections.misfit import Misfit
from vsgen.sections.section import Section
from vsgen.sections.validators import check_name
from vsgen.template.answer import closed
from vsgen.template.canonical import Speller, speller
from vsgen.template.final import check_condition, check_place
from vsgen.template.fits import Fit, surely_fits
from vsgen.template.patterns import pattern_finder

if TYPE_CHECKING:
    from vsgen.template.checker import Checker

RESERVED: Final = frozenset(
    [
        "probability",
        "reasoning",
        "responses",
        "id",
        "labels",
        "meta",
        "reason",
        "clause",
        "detail",
        "twin",
        "similarity",
        "raw",
    ]
)
"""Names that an output field may not have: the reply's form and the row use them."""

Name = Annotated[str, AfterValidator(check_name)]
"""A name that a prompt can refer to."""


class Output(Section):
    """What one answer looks like: one text field, or the fields of a JSON Schema."""

    field: Name = "text"
    """Name of the single text field."""
    max_chars: int = Field(default=400, ge=1)
    """Longest text that is kept, in characters."""
    min_chars: int = Field(default=1, ge=0)
    """Shortest text that is kept, in characters."""
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    """A JSON Schema of type object, instead of the three above: each of its properties is a field, all required."""
    answer: Annotated[str, MinLen(1)] | None = None
    """Where the final answer is: the name of a field, or a regular expression with one group, whose last match in the
    first field counts. The shares of the answers within the draw become the soft label `answer`."""
    correct: Annotated[str, AfterValidator(check_condition)] | None = None
    """An expression of Jinja over `answer` (text) and the variables; its value is `meta.correct`."""

    @field_validator("field")
    @classmethod
    def _not_reserved(cls, name: str) -> str:
        if name in RESERVED:
            raise ValueError(f"{name!r} is reserved; call the field something else")
        return name

    @field_validator("schema_")
    @classmethod
    def _usable(cls, schema: dict[str, Any] | None) -> dict[str, Any] | None:
        if schema is not None:
            names = closed(schema)["properties"]
            if problems := [(("properties", name), problem) for name in names if (problem := _field_problem(name))]:
                raise Misfit(*problems)
        return schema

    @model_validator(mode="after")
    def _one_form(self) -> Output:
        if self.schema_ is not None:
            both = [name for name in ("field", "max_chars", "min_chars") if name in self.model_fields_set]
            if both:
                raise Misfit(
                    *(((name,), "cannot be combined with 'schema'; put it inside the schema") for name in both)
                )
        elif self.min_chars > self.max_chars:
            raise Misfit((("min_chars",), f"must be <= max_chars, which is {self.max_chars}, got {self.min_chars}"))
        return self

    @model_validator(mode="after")
    def _answer_found(self) -> Output:
        if self.answer is not None:
            try:
                check_place(self.answer, self.fields)
            except ValueError as error:
                raise Misfit((("answer",), str(error))) from None
        elif self.correct is not None:
            raise Misfit((("correct",), "needs 'answer', which says where a reply's answer stands"))
        return self

    _allowed: tuple[str, ...] = PrivateAttr(())

    @cached_property
    def item_schema(self) -> dict[str, Any]:
        """The JSON Schema of one answer: all fields required, no others allowed, no ``$ref`` inside."""
        if self.schema_ is not None:
            return closed(self.schema_)
        text: dict[str, Any] = {"type": "string", "minLength": self.min_chars, "maxLength": self.max_chars}
        if self._allowed:
            text = {"type": "string", "enum": list(self._allowed)}
        fields, only = {self.field: text}, [self.field]
        return {"type": "object", "properties": fields, "required": only, "additionalProperties": False}

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the answer's fields, in order."""
        return (self.field,) if self.schema_ is None else tuple(self.schema_["properties"])

    def limited(self, texts: Iterable[str]) -> Output:
        """This output, with a text field that may be nothing else than one of these texts."""
        made = Output.model_validate(self.model_dump(by_alias=True, exclude_unset=True))
        made._allowed = tuple(dict.fromkeys(texts))
        return made

    @cached_property
    def _checker(self) -> Checker:
        from vsgen.template.checker import Checker  # jsonschema loads slowly, and a template that is shown needs it not

        return Checker(self.item_schema)

    @cached_property
    def _surely_fits(self) -> Fit | None:
        return surely_fits(self.item_schema)

    @cached_property
    def _speller(self) -> Speller:
        return speller(self.item_schema)

    def spelled(self, fields: Mapping[str, object]) -> Mapping[str, object]:
        """A candidate's fields, with what is one of a closed set as the set spells it."""
        return cast("Mapping[str, object]", self._speller(fields))

    def problem(self, fields: Mapping[str, object]) -> str | None:
        """Why a candidate's fields do not fit, in one line; None if they fit. Never raises."""
        if self._surely_fits is not None and self._surely_fits(fields):
            return None
        return self._checker.problem(fields)


class Filter(Section):
    """Keeps or refuses a candidate by the text of one field; patterns are searched in linear time, as Rust's are."""

    match: str | None = None
    """The field must contain this regular expression (no look-around, no back-references)."""
    reject: str | None = None
    """The field must not contain this regular expression."""

    @field_validator("match", "reject")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            pattern_finder(pattern)
        return pattern

    def problem(self, text: str) -> str | None:
        """Why the text is refused; None if it is not."""
        if self.match is not None and not pattern_finder(self.match)(text):
            return f"does not match {self.match!r}"
        if self.reject is not None and pattern_finder(self.reject)(text):
            return f"matches {self.reject!r}"
        return None


def _field_problem(name: str) -> str | None:
    if name in RESERVED:
        return f"{name!r} is reserved; call the field something else"
    try:
        check_name(name)
    except ValueError as error:
        return str(error)
    return None
