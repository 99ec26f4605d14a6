"""Clauses of `keep` that hold for no answer.

An expression is computed with all values that its names can have, each as a range, a set or a length: interval
arithmetic. What is not understood may be anything, so a clause is reported only if it really cannot hold.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from itertools import pairwise
from typing import Any, Final, TypeAlias

from jinja2 import nodes

from vsgen.sections.sandbox import compile_text, condition_of
from vsgen.template.final import as_condition
from vsgen.template.keep import LABELS
from vsgen.template.schema import Template
from vsgen.template.warnings.warning import TemplateWarning, Use, quoted, warning


@dataclass(frozen=True, slots=True)
class Range:
    """Any number between two."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Values:
    """One of these."""

    each: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Length:
    """Any text, of so many characters."""

    low: float
    high: float


Domain: TypeAlias = Range | Values | Length | None
"""What a value may be; None is anything."""
Truth: TypeAlias = frozenset[bool]
"""What a condition may come to."""

_MOST: Final = 100_000
"""Pairs of values that are compared."""
_EITHER: Final[Truth] = frozenset({True, False})
_SHARE: Final = Range(0.0, 1.0)
_SHARES: Final = frozenset({"probs", "label_mass", "margin"})
_POSITIVE: Final = frozenset(
    {"entropy", "disagreement", "sd", "between_models", "within_models", "between_styles", "within_styles"}
)
_SIGNS: Final[Mapping[str, str]] = {"gt": "lt", "gteq": "lteq"}
_SUMS: Final[Mapping[type, Callable[[float, float], float]]] = {
    nodes.Add: operator.add,
    nodes.Sub: operator.sub,
    nodes.Mul: operator.mul,
}


def never_kept(template: Template, use: Use) -> Iterator[TemplateWarning]:
    """Clauses that cannot hold."""
    domains = _domains(template, use)
    for i, text in enumerate(template.keep):
        if True not in truth(condition_of(as_condition(text)), domains):
            yield warning(
                template, ("keep", i), f"{quoted(text)} is never true, so no row is kept", _bounds(text, domains)
            )


def truth(node: nodes.Node, domains: Mapping[str, Domain]) -> Truth:
    """What a condition may come to.

    Args:
        node: An expression of Jinja.
        domains: What its names may be; one that is not there may be anything.
    """
    match node:
        case nodes.And(left=left, right=right):
            return _combined(operator.and_, truth(left, domains), truth(right, domains))
        case nodes.Or(left=left, right=right):
            return _combined(operator.or_, truth(left, domains), truth(right, domains))
        case nodes.Not(node=inner):
            return frozenset(not each for each in truth(inner, domains))
        case nodes.Compare(expr=first, ops=compared):
            values = [_value(each, domains) for each in (first, *(one.expr for one in compared))]
            pairs = zip(compared, pairwise(values), strict=True)
            found = [_compared(one.op, *pair) for one, pair in pairs]
            return reduce(partial(_combined, operator.and_), found)
    return _truthy(_value(node, domains))


def _combined(how: Callable[[bool, bool], bool], left: Truth, right: Truth) -> Truth:
    return frozenset(how(a, b) for a in left for b in right)


def _value(node: nodes.Node, domains: Mapping[str, Domain]) -> Domain:
    match node:
        case nodes.Const(value=value):
            return Values((value,))
        case nodes.Name(name=name):
            return domains.get(name)
        case nodes.Getattr() | nodes.Getitem():
            return _of_label(node)
    return _computed(node, domains)


def _computed(node: nodes.Node, domains: Mapping[str, Domain]) -> Domain:
    match node:
        case nodes.Neg(node=inner):
            return _sum(operator.sub, Range(0.0, 0.0), _value(inner, domains))
        case nodes.Filter(name="length" | "count", node=nodes.Node() as inner):
            text = _value(inner, domains)
            return Range(text.low, text.high) if isinstance(text, Length) else None
        case nodes.Add() | nodes.Sub() | nodes.Mul():
            return _sum(_SUMS[type(node)], _value(node.left, domains), _value(node.right, domains))
    return None


def _of_label(node: nodes.Getattr | nodes.Getitem) -> Domain:
    """The value behind ``labels.name.key``, or ``labels.name.probs.class``."""
    steps: list[object] = []
    inner: nodes.Node = node
    while isinstance(inner, nodes.Getattr | nodes.Getitem):
        key = inner.attr if isinstance(inner, nodes.Getattr) else inner.arg
        steps.insert(0, key.value if isinstance(key, nodes.Const) else key)
        inner = inner.node
    if not (isinstance(inner, nodes.Name) and inner.name == LABELS and len(steps) > 1):
        return None
    if (steps[1] == "probs") == (len(steps) == 3) and steps[1] in _SHARES:
        return _SHARE
    return Range(0.0, math.inf) if steps[1] in _POSITIVE and len(steps) == 2 else None


def _sum(how: Callable[[float, float], float], left: Domain, right: Domain) -> Domain:
    one, other = _numbers(left), _numbers(right)
    if one is None or other is None:
        return None
    ends = [how(a, b) for a in (one.low, one.high) for b in (other.low, other.high)]
    return None if any(map(math.isnan, ends)) else Range(min(ends), max(ends))


def _numbers(domain: Domain) -> Range | None:
    """A domain of numbers alone as a range."""
    match domain:
        case Range():
            return domain
        case Values(each=each) if each and all(isinstance(one, int | float) for one in each):
            numbers = [float(one) for one in each if isinstance(one, int | float)]
            return Range(min(numbers), max(numbers))
    return None


def _compared(sign: str, left: Domain, right: Domain) -> Truth:
    match sign:
        case "gt" | "gteq":
            return _compared(_SIGNS[sign], right, left)
        case "lt" | "lteq":
            return _ordered(_numbers(left), _numbers(right), strict=sign == "lt")
        case "eq":
            return _equal(left, right)
        case "ne":
            return frozenset(not each for each in _equal(left, right))
    return _EITHER


def _ordered(left: Range | None, right: Range | None, *, strict: bool) -> Truth:
    if left is None or right is None:
        return _EITHER
    below = operator.lt if strict else operator.le
    if below(left.high, right.low):
        return frozenset({True})
    return _EITHER if below(left.low, right.high) else frozenset({False})


def _equal(left: Domain, right: Domain) -> Truth:
    match left, right:
        case Values(), Values():
            return _same(left.each, right.each)
        case Length(low=low, high=high), Values(each=each):
            fits = any(not isinstance(one, str) or low <= len(one) <= high for one in each)
            return _EITHER if fits else frozenset({False})
        case Values(), Length():
            return _equal(right, left)
    first, second = _numbers(left), _numbers(right)
    apart = first is not None and second is not None and (first.high < second.low or second.high < first.low)
    return frozenset({False}) if apart else _EITHER


def _same(left: Sequence[object], right: Sequence[object]) -> Truth:
    if len(left) * len(right) > _MOST:
        return _EITHER
    found = {a == b for a in left for b in right}
    return frozenset(found) if len(found) == 1 else _EITHER


def _truthy(domain: Domain) -> Truth:
    match domain:
        case Values(each=each):
            return frozenset(map(bool, each))
        case Range(low=low, high=high):
            return _EITHER if low <= 0 <= high and low < high else frozenset({bool(low)})
        case Length(low=low, high=high):
            return frozenset({low > 0, high > 0})
    return _EITHER


def _domains(template: Template, use: Use) -> dict[str, Domain]:
    """What the names of a clause may be; an input row may give a variable any value."""
    drawn = {} if use.rows else {name: Values(tuple(values)) for name, values in template.variables.items()}
    own: dict[str, Domain] = {"probability": _SHARE, "verbalized": _SHARE, "logp": Range(-math.inf, 0.0)}
    own["correct"] = Values((True, False, None))
    fields = template.output.item_schema["properties"]
    return {**drawn, **own, **{name: _of_schema(one) for name, one in fields.items()}}


def _of_schema(schema: Mapping[str, Any]) -> Domain:
    match schema:
        case {"enum": list(values)}:
            return Values(tuple(values))
        case {"const": value}:
            return Values((value,))
        case {"type": "boolean"}:
            return Values((True, False))
        case {"type": "integer" | "number"}:
            return Range(schema.get("minimum", -math.inf), schema.get("maximum", math.inf))
        case {"type": "string"}:
            return Length(schema.get("minLength", 0), schema.get("maxLength", math.inf))
    return None


def _bounds(text: str, domains: Mapping[str, Domain]) -> str:
    """What to do about a clause: the possible values of the names in it."""
    named = compile_text(as_condition(text)).names
    names = [name for name, domain in domains.items() if isinstance(domain, Range | Values) and name in named]
    shown = [f"{name} is {_shown(domains[name])}" for name in names]
    return ", ".join(["correct the expression", *shown])


def _shown(domain: Domain) -> str:
    match domain:
        case Range(low=low, high=high):
            ends = (f"at least {low:g}" if low > -math.inf else "", f"at most {high:g}" if high < math.inf else "")
            return " and ".join(filter(None, ends)) or "a number"
        case Values(each=each):
            return f"one of {', '.join(map(quoted, each[:8]))}"
    return "a text"
