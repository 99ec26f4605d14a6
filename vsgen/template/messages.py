"""Words the problems that pydantic finds: where, what, what was got and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from vsgen.checks.settings import Check
from vsgen.dedup.settings import Dedup
from vsgen.labels.judge import Judge
from vsgen.labels.settings import Label
from vsgen.sampling.potentials import LabelPotential, Potentials
from vsgen.sampling.settings import Power, Sampling
from vsgen.sections.misfit import ROOT, Misfit, Path, TextProblem, likeliest
from vsgen.sections.prices import Prices
from vsgen.template.answer import short
from vsgen.template.examples import Recommended
from vsgen.template.nodes import Node, Problem
from vsgen.template.output import Filter, Output
from vsgen.template.schema import Template

_MAX_SHOWN: Final = 60
_NOT_KEYS: Final = frozenset(
    {
        *("<list>", "<weights>", "<dedup>", "<off>", "<syntax>", "<check>", "<checks>", "<one>", "[key]"),
        *("<name>", "<model>", "<models>"),
    }
)
_SECTIONS: Final[dict[str, type[BaseModel]]] = {
    "output": Output,
    "sampling": Sampling,
    "sampling.power": Power,
    "dedup": Dedup,
    "labels": Label,
    "filter": Filter,
    "check": Check,
    "recommended": Recommended,
    "prices": Prices,
    "labels.prices": Prices,
    "labels.model": Judge,
    "labels.model.prices": Prices,
    "dedup.prices": Prices,
    "sampling.power.potentials": Potentials,
    "sampling.power.potentials.labels": LabelPotential,
}
_VERSION: Final = ", as in: version: 1"
_MAPPING: Final = "must be a mapping of keys to values"
_WHAT: Final = {
    "string_type": "must be text",
    "string_unicode": "must be valid Unicode",
    "int_type": "must be an integer",
    "int_from_float": "must be an integer",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "tuple_type": "must be a list",
    "finite_number": "must be finite",
    "greater_than_equal": "must be >= {ge:g}",
    "greater_than": "must be > {gt:g}",
    "less_than": "must be < {lt:g}",
    "less_than_equal": "must be <= {le:g}",
    "string_too_short": "must not be empty",
    "too_short": "needs at least {min_length}",
    "literal_error": "must be {expected}",
    "invalid_key": "a key must be text",
}


def problems(error: ErrorDetails, root: Node) -> Iterator[Problem]:
    """The problems that one of pydantic's errors stands for, each with its place in the template."""
    path = tuple(step for step in error["loc"] if step not in _NOT_KEYS)
    cause = error.get("ctx", {}).get("error")
    if error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]:
        return  # too short only because items in it are wrong, which is reported as well
    if isinstance(cause, Misfit):
        for inner, message in cause.problems:
            place = inner[1:] if inner[:1] == (ROOT,) else (*path, *inner)
            yield _problem(place, str(message), root, text_line=getattr(message, "line", 0))
    elif isinstance(cause, TextProblem):
        yield _problem(path, str(cause), root, text_line=cause.line)
    elif error["type"] == "extra_forbidden":
        yield _problem(path[:-1], _unknown_key(path), root, at=_find(path, root))
    else:
        remedy = _VERSION if (error["type"], path) == ("missing", ("version",)) else ""
        yield _problem(path, f"{cause or _wrong(error)}{remedy}", root)


def show(value: object) -> str:
    """A value as a message shows it: on one line, short, without control characters."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=True, default=repr)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"


def nearest(word: str, words: Sequence[str]) -> str:
    """``; did you mean 'x'?`` for the word most like it, or nothing."""
    found = likeliest(word, words)
    return f"; did you mean {found!r}?" if found else ""


def _problem(path: Path, message: str, root: Node, *, at: Node | None = None, text_line: int = 0) -> Problem:
    node = at or _find(path, root)
    where, line = node.where, node.line
    if text_line and node.text_line:
        line = node.text_line + text_line - 1
        where = f"{node.source}:{line}"
    dotted = short(".".join(step if isinstance(step, str) and step.isprintable() else show(step) for step in path))
    return Problem(line, f"{where}: {dotted}: {message}" if dotted else f"{where}: {message}")


def _find(path: Path, node: Node) -> Node:
    """The node at the path, or the deepest one on the way to it."""
    for step in path:
        child = node.child(step)
        if child is None:
            break
        node = child
    return node


def _wrong(error: ErrorDetails) -> str:
    kind, got = error["type"], error["input"]
    if kind == "missing":
        return "missing; it is required"
    what = _WHAT.get(kind, error["msg"]).format(**error.get("ctx", {}))
    remedy = " (quote it)" if kind == "string_type" and isinstance(got, int | float) else ""
    choices = re.findall(r"'([^']*)'", what) if kind == "literal_error" else []
    return f"{what}, got {show(got)}{remedy}{nearest(got, choices) if isinstance(got, str) else ''}"


def _unknown_key(path: Path) -> str:
    key = str(path[-1])
    steps = [step for step in path[:-1] if isinstance(step, str)]
    section = next((name for name in (".".join(steps), *steps[:1]) if name in _SECTIONS), "")
    known = _keys(_SECTIONS.get(section, Template))
    guess = nearest(key, known)
    if not guess:
        elsewhere = [f"{name}.{key}" for name, model in _SECTIONS.items() if name != section and key in _keys(model)]
        guess = f"; did you mean {elsewhere[0]!r}?" if elsewhere else f"; there are: {', '.join(known)}"
    return f"unknown key {show(key)}{guess}"


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
