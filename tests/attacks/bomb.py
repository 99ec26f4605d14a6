"""What a bomb is, and what it may be made of."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from vsgen.errors import TemplateError
from vsgen.sections.misfit import TextProblem
from vsgen.sections.sandbox import compile_text
from vsgen.template.load import load_template

HEAD = "version: 1\nname: bomb\nprompt: x\n"


class Bomb(NamedTuple):
    """One attack."""

    name: str
    says: str
    """What the error says; nothing where the work is small and done."""
    run: Callable[[], str]
    """What was said, or nothing."""


def text(template: str, **values: object) -> Callable[[], str]:
    """A text and its values."""

    def run() -> str:
        try:
            compile_text(template).render(values)
        except TextProblem as problem:
            return str(problem)
        return ""

    return run


def template(document: str) -> Callable[[], str]:
    """A template's file."""

    def run() -> str:
        return _loaded(document) or ""

    return run


def answer(schema: Mapping[str, Any], **fields: object) -> Callable[[], str]:
    """A schema of a template, and a reply's fields."""

    def run() -> str:
        made = _loaded(HEAD + "output: {schema: " + json.dumps(schema) + "}\n", fields)
        return made or ""

    return run


def _loaded(document: str, fields: Mapping[str, object] | None = None) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bomb.yaml")
        path.write_text(document)
        try:
            made = load_template(str(path))
        except TemplateError as error:
            return str(error).replace(folder, "")
        return None if fields is None else made.output.problem(fields)


def fields(**schemas: object) -> dict[str, Any]:
    """A schema with these fields."""
    return {"type": "object", "properties": schemas}


def nested(items: str, first: str, last: str, depth: int) -> str:
    """Loops within loops, in each of which a variable stands for `items` of the one before: %s."""
    names = [f"v{i}" for i in range(depth + 1)]
    loops = "".join(f"{{% for {b} in [{items.replace('%s', a)}] %}}" for a, b in pairwise(names))
    return f"{{% for v0 in [{first}] %}}{loops}{last.replace('%s', names[-1])}{'{% endfor %}' * (depth + 1)}"


def many(loop: str, inner: int = 9) -> str:
    """Something done thousands of times."""
    return f"{{% for i in range(1000) %}}{{% for j in range({inner}) %}}{loop}{{% endfor %}}{{% endfor %}}"
