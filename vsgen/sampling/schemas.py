"""The forms of replies, for backends that can constrain decoding: they enforce k, the fields and the form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from vsgen.sampling import prompts

MOST_REASONING = 2000
"""Characters at which decoding under a schema ends a reasoning."""
_REASONING = {"type": "string", "minLength": 1, "maxLength": MOST_REASONING}
_STEP = 0.001
_LONGEST = 1_000_000
"""Characters of a pattern; of one that is longer, say of k times a large set, a grammar would take much memory."""


class Form(NamedTuple):
    """What constrains a reply; see `vsgen.values.Generate`."""

    schema: str | None = None
    pattern: str | None = None


def one(item: Mapping[str, Any] | None, *, reasoning: bool) -> str | None:
    """The reply of cot, and of direct with several fields: one object."""
    if item is None:
        return None
    return json.dumps(_with({prompts.REASONING: _REASONING} if reasoning else {}, item, {}))


def many(
    item: Mapping[str, Any] | None,
    k: int,
    *,
    verbalized: bool = False,
    p_max: float | None = None,
    reasoning: bool = False,
) -> str | None:
    """The reply of the list methods: exactly k objects.

    A stated probability is a multiple of 0.001 from 0 to `p_max` (1 by default): a free number may run on for tens of
    digits.
    """
    if item is None:
        return None
    stated = {"type": "number", "minimum": 0, "maximum": 1 if p_max is None else p_max, "multipleOf": _STEP}
    items = _with({}, item, {prompts.PROBABILITY: stated} if verbalized else {})
    responses = {"type": "array", "items": items, "minItems": k, "maxItems": k}
    whole = {"type": "object", "properties": {prompts.RESPONSES: responses}, "required": [prompts.RESPONSES]}
    return json.dumps(_with({prompts.REASONING: _REASONING} if reasoning else {}, whole, {}))


def lines(item: Mapping[str, Any] | None, k: int, *, verbalized: bool) -> str | None:
    """The pattern of k numbered lines, one answer each, with its probability in parentheses where one is asked for.

    None where any text will do, or where the pattern would be too long.
    """
    if item is None:
        return None
    (field,) = item["properties"].values()
    most = f"{{0,{field['maxLength'] - 1}}}" if "maxLength" in field else "*"
    answer = _closed(field) or rf"[^\s][^\n]{most}"
    if len(answer) * k > _LONGEST:
        return None
    tail = r" \((?:0\.[0-9]{1,3}|1|1\.0)\)" if verbalized else ""
    return r"\n".join(rf"{number}\. (?:{answer}){tail}" for number in range(1, k + 1))


def bare(item: Mapping[str, Any] | None) -> str | None:
    """The pattern of a reply that is the only field's text itself; None where any text will do.

    A space before the answer is allowed: after a cue a model begins with one.
    """
    if item is None:
        return None
    (field,) = item["properties"].values()
    text = _closed(field)
    return None if text is None else f" ?(?:{text})"


def _closed(field: Mapping[str, Any]) -> str | None:
    """The pattern of a closed set, or of a text whose own pattern says where it begins and ends."""
    if allowed := field.get("enum", [field["const"]] if "const" in field else []):
        return "|".join(re.escape(one if isinstance(one, str) else json.dumps(one)) for one in allowed)
    pattern: str = field.get("pattern", "")
    whole = pattern.startswith("^") and pattern.endswith("$") and not pattern.endswith("\\$") and "|" not in pattern
    return pattern[1:-1] if whole else None


def _with(before: dict[str, Any], schema: Mapping[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The object schema with properties added; their order is the order of decoding."""
    properties = {**before, **schema["properties"], **after}
    required = [*before, *schema.get("required", ()), *after]
    return {**schema, "properties": properties, "required": required, "additionalProperties": False}
