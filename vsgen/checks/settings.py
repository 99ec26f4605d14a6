"""What a task template may say about checks: what a field must be beyond its schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from annotated_types import MinLen
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from vsgen.sections.misfit import Misfit
from vsgen.sections.section import Section
from vsgen.sections.validators import as_list

Syntax: TypeAlias = Literal["json", "python", "sql"]


class Check(Section):
    """One thing that a field must be: text that parses, or a row that an external command accepts."""

    syntax: Syntax | None = None
    """json, python or sql: the field's text must parse as that; it is never run. sql needs the extra `sql`."""
    dialect: str | None = Field(default=None, min_length=1)
    """For sql, a dialect of sqlglot: sqlite, postgres, mysql, duckdb ..."""
    command: Annotated[tuple[Annotated[str, MinLen(1)], ...], BeforeValidator(as_list)] = ()
    """A program and its arguments, run without a shell and only with --allow-exec: it reads rows as JSON lines on
    standard input and writes a verdict for each, `{"ok": false, "problem": "..."}`, on standard output."""
    timeout: float = Field(default=10.0, gt=0, le=3600)
    """Seconds that a command may take for one verdict."""

    @model_validator(mode="after")
    def _one_kind(self) -> Check:
        if (self.syntax is None) == (not self.command):
            raise Misfit(((), "needs either 'syntax' (json, python, sql) or 'command' (a list of words)"))
        if self.dialect is not None and self.syntax != "sql":
            raise Misfit((("dialect",), "is only for 'syntax: sql'"))
        if "timeout" in self.model_fields_set and not self.command:
            raise Misfit((("timeout",), "is only for 'command'"))
        return self


def shape_of_check(value: object) -> str:
    """Tells ``python`` from a mapping."""
    return "<check>" if isinstance(value, Mapping | Check) else "<syntax>"


def shape_of_checks(value: object) -> str:
    """Tells a list of checks from a single one."""
    return "<checks>" if isinstance(value, list | tuple) else "<one>"


_Check = Annotated[
    Annotated[Syntax, Tag("<syntax>")] | Annotated[Check, Tag("<check>")],
    Discriminator(shape_of_check),
]
_Checks = Annotated[tuple[_Check, ...], MinLen(1), BeforeValidator(as_list), Tag("<checks>")]
Checks = Annotated[Annotated[_Check, Tag("<one>")] | _Checks, Discriminator(shape_of_checks)]
"""What a template says under a field of ``check:``: a syntax's name, a mapping, or a list of these."""


def spelled_out(checks: object) -> tuple[Check, ...]:
    """The checks of one field, each as a section."""
    each = checks if isinstance(checks, tuple) else (checks,)
    return tuple(one if isinstance(one, Check) else Check.model_validate({"syntax": one}) for one in each)
