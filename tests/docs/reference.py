"""The reference in docs/template.md, made from the schema of templates: ``python -m tests.docs.reference``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from vsgen.template.schema import json_schema

PAGE: Final = Path(__file__).parents[2] / "docs" / "template.md"
MARK: Final = "<!-- generated below this line by `python -m tests.docs.reference` -->\n"

Node: TypeAlias = Mapping[str, Any]
_HEADINGS: Final = {
    "Power": "sampling.power",
    "Filter": "filter.FIELD",
    "Check": "check.FIELD",
    "Label": "labels",
    "Judge": "labels.model",
}
"""Of the sections that do not stand under their own name in lower case."""
_BOUNDS: Final = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
_ANY: Final = ["string", "number", "boolean", "null"]


def reference() -> str:
    """All keys of a template, a table for each section."""
    schema = json_schema()
    sections = schema["$defs"]
    tables = [_table("Keys of a template", schema, sections)]
    tables += [_table(f"`{_heading(name)}`", section, sections) for name, section in sections.items()]
    return "\n".join(line for table in tables for line in table)


def page() -> str:
    """What the page should be: its introduction as it stands, and today's reference."""
    introduction = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    return f"{introduction}{MARK}\n{reference()}"


def _table(name: str, section: Node, sections: Node) -> Iterator[str]:
    needed = section.get("required", ())
    yield from (f"## {name}", "", "| key | value | default | what it is |", "| --- | --- | --- | --- |")
    for key, node in section["properties"].items():
        default = "required" if key in needed else _default(node)
        cells = (f"`{key}`", _kind(node), default, _text(node, sections))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _heading(section: str) -> str:
    return _HEADINGS.get(section, section.lower())


def _link(section: str) -> str:
    heading = _heading(section)
    return f"[{heading}](#{heading.lower().replace('.', '')})"


def _text(node: Node, sections: Node) -> str:
    section: Node = sections.get(node.get("$ref", "").rpartition("/")[2], {})
    return " ".join(str(node.get("description") or section.get("description", "")).split())


def _default(node: Node) -> str:
    """As YAML would have it; nothing where a key is absent, empty or a section by default."""
    default = node.get("default")
    return "" if default in (None, "", []) or isinstance(default, dict) else f"`{json.dumps(default)}`"


def _kind(node: Node) -> str:
    match node:
        case {"$ref": str(name)}:
            return _link(name.rpartition("/")[2])
        case {"anyOf": list(ways)} | {"oneOf": list(ways)}:
            return " or ".join(dict.fromkeys(_kind(one) for one in ways if one != {"type": "null"}))
        case {"enum": list(values)}:
            return ", ".join(f"`{_plain(value)}`" for value in values)
        case {"const": value}:
            return f"`{_plain(value)}`"
        case {"type": "array", "items": items}:
            return f"list of {_kind(items)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"mapping (to {_kind(values)})"
        case {"type": list(kinds)}:
            return "value" if kinds == _ANY else " or ".join(kinds)
        case _:
            return ", ".join([str(node["type"]).replace("object", "mapping"), *_bounds(node)])


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _bounds(node: Node) -> Iterator[str]:
    yield from (f"{sign} {node[key]}" for key, sign in _BOUNDS.items() if key in node)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
