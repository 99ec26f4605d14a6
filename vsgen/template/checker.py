"""Says why an answer does not fit its schema, or a schema not JSON Schema, in one line: `Checker`, `schema_problem`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from jsonschema import ValidationError

from vsgen.sections.misfit import Path
from vsgen.template.answer import short
from vsgen.template.validator import TooMuch, Validator, metaschema

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_metaschema: Final = lru_cache(metaschema)


class Checker:
    """Says why the fields of a candidate do not fit a closed schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._fields = tuple(schema["properties"])
        self._names = frozenset(self._fields)
        self._validator = Validator(dict(schema))

    def problem(self, fields: Mapping[str, object]) -> str | None:
        """The first reason for which the fields do not fit; None if they do. Never raises."""
        if fields.keys() != self._names:
            return self._misnamed(fields)
        plain = dict(fields)
        try:
            _ENCODER.encode(plain).encode()
            error = self._validator.error(plain)
        except (ArithmeticError, RecursionError, TypeError, ValueError) as failure:
            return short(f"cannot be written as JSON: {failure}")
        except TooMuch as problem:
            return f"too large: {problem}"
        return None if error is None else _worded(error)

    def _misnamed(self, fields: Mapping[str, object]) -> str:
        if missing := [name for name in self._fields if name not in fields]:
            return f"{missing[0]}: missing"
        extra = [name for name in fields if name not in self._names]
        return f"{short(str(extra[0]))}: not a field of this template"


def schema_problem(schema: Mapping[str, Any]) -> tuple[Path, str] | None:
    """Why something is not a JSON Schema, and where in it; None if it is one."""
    try:
        error = _metaschema().first(schema)
    except TooMuch as problem:
        return (), f"too large: {problem}"
    return None if error is None else (tuple(error.absolute_path), short(error.message))


def _worded(error: ValidationError) -> str:
    where = ".".join(str(step) for step in error.absolute_path)
    match error.validator, error.instance:
        case "maxLength", str(text):
            what = f"{len(text)} characters, at most {error.validator_value}"
        case "minLength", str(text):
            what = f"{len(text)} characters, at least {error.validator_value}"
        case _:
            what = error.message
    return short(f"{where}: {what}" if where else what)
