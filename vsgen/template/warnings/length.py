"""Answers that hardly fit into a reply of `sampling.max_tokens`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vsgen.sampling.prompts import PROBABILITY
from vsgen.sampling.settings import LISTS, VERBALIZING
from vsgen.template.schema import Template
from vsgen.template.warnings.warning import TemplateWarning, Use, warning

_UNBOUNDED = 100
"""Characters that are taken for a text without a limit."""
_FEW = 3
"""Items that are taken for a list without a limit."""
_SHORT = 5
"""Characters of a number or a word of JSON."""
_SAMPLE = 1_000
"""Characters whose tokens are counted."""
_ROOM = 1.1


def cut(template: Template, use: Use) -> Iterator[TemplateWarning]:
    """Lists that end before all of their answers are written, if these are as long as they may be."""
    how = template.sampling
    count = _count(template)
    each = answer_tokens(template, use)
    if count == 1 or count * each <= how.max_tokens:
        return
    text = f"is {how.max_tokens:,}, but {count} answers take about {count * each:,} tokens: replies may be cut"
    wanted = -(-int(count * each * _ROOM) // 100) * 100
    fewer = how.max_tokens // each
    other = f"lower sampling.k to {fewer}" if 0 < fewer < count else _shorter(template)
    yield warning(template, ("sampling", "max_tokens"), text, f"set it to {wanted:,}, or {other}")


def answer_tokens(template: Template, use: Use) -> int:
    """About how many tokens a long answer takes in a reply, with the form around it."""
    how = template.sampling
    if len(template.output.fields) == 1 and how.method not in LISTS:
        return text_tokens(template, use)
    stated = len(f'"{PROBABILITY}": 0.125, ') if how.method in VERBALIZING else 0
    return _tokens(_length(_schema(template)) + stated, template, use)


def text_tokens(template: Template, use: Use) -> int:
    """About how many tokens a long answer has by itself."""
    schema = _schema(template)
    bare = len(template.output.fields) == 1
    return _tokens(sum(map(_length, schema["properties"].values())) if bare else _length(schema), template, use)


def _tokens(length: int, template: Template, use: Use) -> int:
    words = " ".join(template.prompt.split()) + " "  # in the language of the answers, most likely
    sample = (words * (_SAMPLE // len(words) + 1))[:_SAMPLE]
    return max(1, use.tokens(sample) * length // _SAMPLE)


def _count(template: Template) -> int:
    """The most answers of one reply."""
    how = template.sampling
    if how.method not in LISTS:
        return 1
    return max(how.turns) if how.method == "vs-multi" else how.k


def _schema(template: Template) -> Mapping[str, Any]:
    """Of an answer; a limit that nobody has set is much higher than answers are long."""
    output, schema = template.output, template.output.item_schema
    if output.schema_ is not None or "max_chars" in output.model_fields_set or template.choices is not None:
        return schema
    text = {"type": "string", "maxLength": max(output.min_chars, output.max_chars // 2)}
    return {"type": "object", "properties": {output.field: text}}


def _shorter(template: Template) -> str:
    return "shorten the answers in output.schema" if template.output.schema_ else "lower output.max_chars"


def _length(schema: Any) -> int:
    """Characters of a long value of a schema, written as JSON."""
    match schema:
        case {"enum": [first, *more]}:
            return max(len(json.dumps(value)) for value in (first, *more))
        case {"properties": dict(fields)}:
            return 2 + sum(len(f'"{name}": , ') + _length(one) for name, one in fields.items())
        case {"type": "array"} | {"items": _}:
            count = max(schema.get("minItems", 0), min(schema.get("maxItems", _FEW), _FEW))
            return 2 + int(count) * (2 + _length(schema.get("items", {})))
    return _length_of_scalar(schema)


def _length_of_scalar(schema: Any) -> int:
    match schema:
        case {"type": "integer" | "number" | "boolean" | "null"} | {"const": _}:
            return _SHORT
        case {"maxLength": int(most)}:
            return most
        case {"minLength": int(least)}:
            return max(_UNBOUNDED, least)
    return _UNBOUNDED
