"""How many different answers there can be, where an answer is one of a closed set."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vsgen.template.schema import Template
from vsgen.template.warnings.warning import TemplateWarning, Use, warning


def too_many(template: Template, use: Use) -> Iterator[TemplateWarning]:
    """More rows than there are different answers, of which repeats are dropped."""
    most = distinct(template, template.dedup.on) if template.dedup else None
    if most is None or use.num is None or use.num <= most:
        return
    text = f"only {most:,} different answers are possible, and repeats are dropped: no more than {most:,} can be kept"
    remedy = f"ask for {most:,}, or keep repeats with 'dedup: false'"
    found = warning(template, ("num",), text, remedy)
    yield found if use.num == template.num else TemplateWarning(f"-n {use.num}", text, remedy)


def distinct(template: Template, fields: Sequence[str] | None = None) -> int | None:
    """How many different values some fields of an answer, by default all, can have together; None if it is open."""
    schemas = template.output.item_schema["properties"]
    counts = [_count(schemas[name]) for name in fields or template.output.fields]
    found = [count for count in counts if count is not None]
    return math.prod(found) if len(found) == len(counts) else None


def _count(schema: Mapping[str, Any]) -> int | None:
    match schema:
        case {"enum": list(values)}:
            return len({json.dumps(value, sort_keys=True) for value in values})
        case {"const": _}:
            return 1
        case {"type": "boolean"}:
            return 2
        case {"type": "integer", "minimum": int(low), "maximum": int(high)}:
            return max(0, high - low + 1)
    return None
