"""Examples of an answer that stand in the prompt and do not fit the output's schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vsgen.sampling.prompts import PROBABILITY, REASONING, RESPONSES
from vsgen.sections.misfit import TextProblem
from vsgen.sections.sandbox import compile_text
from vsgen.template.schema import Template
from vsgen.template.variables import draw_variables
from vsgen.template.warnings.warning import TemplateWarning, Use, warning

_MOST = 200
"""Braces that are looked at."""
_LONGEST = 20_000
"""Characters that are looked at."""
_SKETCHES = frozenset({"string", "str", "text", "integer", "int", "number", "float", "boolean", "bool", "array", "..."})
"""What stands in a sketch of the form, which is no example."""


def misfit_example(template: Template, use: Use) -> Iterator[TemplateWarning]:
    """An object of JSON in the prompt, or in the system message, that looks like an answer and is not a valid one."""
    if template.output.schema_ is None:
        return
    for key, text in (("prompt", template.prompt), ("system", template.system)):
        for found in _objects(_rendered(template, text or "")):
            fields = {name: value for name, value in found.items() if name not in (PROBABILITY, REASONING)}
            if _meant(template, fields) and (problem := template.output.problem(fields)):
                first = next(name for name in fields if name in template.output.fields)
                what = f"the example in it does not fit output.schema: {problem}"
                remedy = "correct the example or the schema; models copy examples"
                yield warning(template, (key,), what, remedy, word=first)


def _rendered(template: Template, text: str) -> str:
    """The text with some values in it, as far as the template has them."""
    try:
        return compile_text(text).render(draw_variables(template, 0, 0)) if text else ""
    except TextProblem:  # names fields of rows
        return text


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    """The objects of JSON in a text, those of a list of responses one by one."""
    decoder, at = json.JSONDecoder(), -1
    text = text[:_LONGEST]
    for _ in range(_MOST):
        if (at := text.find("{", at + 1)) < 0:
            return
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            continue
        at = end - 1
        listed = found.get(RESPONSES)
        yield from [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else [found]


def _meant(template: Template, fields: Mapping[str, Any]) -> bool:
    """Whether an object looks like an answer with values: half of its fields are there, and no value is a sketch."""
    known = template.output.fields
    return 2 * sum(name in fields for name in known) >= len(known) and not _sketched(fields)


def _sketched(value: Any) -> bool:
    match value:
        case str():
            word = value.strip().casefold()
            return word in _SKETCHES or word.endswith("...") or (word[:1] + word[-1:]) in ("<>", "[]")
        case dict():
            return any(map(_sketched, value.values()))
        case list():
            return any(map(_sketched, value))
    return False
