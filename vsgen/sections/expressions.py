"""The expressions of a text: every node becomes a function of a `Rendering`, which pays for what it makes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from jinja2 import StrictUndefined, Undefined, nodes

from vsgen.sections.filters import FILTERS, found
from vsgen.sections.loop import Loop
from vsgen.sections.operators import COMPARISONS, TESTS, added, reckoned
from vsgen.sections.rendering import Rendering, whole

MAX_RANGE: Final = 1_000
"""Length of a ``range``."""
Value: TypeAlias = Callable[[Rendering], Any]
"""An expression."""
_MISSING: Final = object()


def value_of(node: nodes.Node) -> Value:
    """The program of an expression; its kind must be one of `EXPRESSIONS`."""
    return EXPRESSIONS[type(node)](node)


def _name(node: nodes.Name) -> Value:
    name = node.name

    def load(rendering: Rendering) -> Any:
        value = rendering.values.get(name, _MISSING)
        return StrictUndefined(name=name) if value is _MISSING else value

    return load


def _const(node: nodes.Const) -> Value:
    value = whole(node.value) if isinstance(node.value, int) else node.value
    return lambda _: value


def _items(node: nodes.List | nodes.Tuple) -> Value:
    items, kind = [value_of(item) for item in node.items], list if isinstance(node, nodes.List) else tuple

    def make(rendering: Rendering) -> Any:
        made = kind([item(rendering) for item in items])
        rendering.weigh(made)
        return made

    return make


def _dict(node: nodes.Dict) -> Value:
    items = [(value_of(pair.key), value_of(pair.value)) for pair in node.items]

    def make(rendering: Rendering) -> Any:
        pairs = [(key(rendering), value(rendering)) for key, value in items]
        rendering.weigh(pairs)
        return dict(pairs)

    return make


def _getattr(node: nodes.Getattr) -> Value:
    name, holder = node.attr, value_of(node.node)

    def load(rendering: Rendering) -> Any:
        held = holder(rendering)
        return held.key(name) if isinstance(held, Loop) else found(held, name)

    return load


def _getitem(node: nodes.Getitem) -> Value:
    if isinstance(node.arg, nodes.Slice):
        return _slice(node)
    holder, key = value_of(node.node), value_of(node.arg)

    def load(rendering: Rendering) -> Any:
        held, at = holder(rendering), key(rendering)
        rendering.read(at)
        return held.key(str(at)) if isinstance(held, Loop) else found(held, at)

    return load


def _slice(node: nodes.Getitem) -> Value:
    cut: Any = node.arg
    holder, bounds = value_of(node.node), [_optional(each) for each in (cut.start, cut.stop, cut.step)]

    def make(rendering: Rendering) -> Any:
        made = holder(rendering)[slice(*(bound(rendering) for bound in bounds))]
        rendering.weigh(made)
        return made

    return make


def _optional(node: nodes.Expr | None) -> Value:
    return (lambda _: None) if node is None else value_of(node)


def _range(node: nodes.Call) -> Value:
    bounds = [value_of(argument) for argument in node.args]

    def make(rendering: Rendering) -> range:
        numbers = range(*(bound(rendering) for bound in bounds))
        if len(numbers) > MAX_RANGE:
            raise OverflowError(f"a range of more than {MAX_RANGE:,} numbers")
        return numbers

    return make


def _called(functions: Mapping[str, Callable[..., Any]]) -> Callable[[Any], Value]:
    """A filter or a test."""

    def make(node: nodes.Filter | nodes.Test) -> Value:
        function, value = functions[node.name], _optional(node.node)
        arguments = [value_of(argument) for argument in node.args]
        options = [(str(option.key), value_of(option.value)) for option in node.kwargs]

        def plain(rendering: Rendering) -> Any:
            return function(rendering, value(rendering))

        def call(rendering: Rendering) -> Any:
            given = [argument(rendering) for argument in arguments]
            return function(rendering, value(rendering), *given, **{key: each(rendering) for key, each in options})

        return call if arguments or options else plain

    return make


def _compare(node: nodes.Compare) -> Value:
    first = value_of(node.expr)
    others = [(COMPARISONS[each.op], value_of(each.expr)) for each in node.ops]

    def compare(rendering: Rendering) -> Any:
        left, holds = first(rendering), True
        for comparison, other in others:
            right = other(rendering)
            holds = comparison(rendering, left, right)
            if not holds:
                break
            left = right
        return holds

    return compare


def _concat(node: nodes.Concat) -> Value:
    parts = [value_of(part) for part in node.nodes]
    return lambda rendering: rendering.made("".join([rendering.text(part(rendering)) for part in parts]))


def _condition(node: nodes.CondExpr) -> Value:
    test, yes = value_of(node.test), value_of(node.expr1)
    no = value_of(node.expr2) if node.expr2 is not None else lambda _: Undefined()  # as in Jinja: it writes nothing
    return lambda rendering: yes(rendering) if test(rendering) else no(rendering)


def _and(node: nodes.And) -> Value:
    left, right = value_of(node.left), value_of(node.right)
    return lambda rendering: left(rendering) and right(rendering)


def _or(node: nodes.Or) -> Value:
    left, right = value_of(node.left), value_of(node.right)
    return lambda rendering: left(rendering) or right(rendering)


def _not(node: nodes.Not) -> Value:
    value = value_of(node.node)
    return lambda rendering: not value(rendering)


def _add(node: nodes.Add) -> Value:
    left, right = value_of(node.left), value_of(node.right)
    return lambda rendering: added(rendering, left(rendering), right(rendering))


def _binary(sign: str, function: Callable[[Any, Any], Any]) -> Callable[[Any], Value]:
    reckon = reckoned(sign, function)

    def make(node: nodes.BinExpr) -> Value:
        left, right = value_of(node.left), value_of(node.right)
        return lambda rendering: reckon(left(rendering), right(rendering))

    return make


def _unary(sign: str, function: Callable[[Any], Any]) -> Callable[[Any], Value]:
    reckon = reckoned(sign, function)

    def make(node: nodes.UnaryExpr) -> Value:
        value = value_of(node.node)
        return lambda rendering: reckon(value(rendering))

    return make


EXPRESSIONS: Final[Mapping[type[nodes.Node], Callable[[Any], Value]]] = {
    nodes.Name: _name,
    nodes.Const: _const,
    nodes.List: _items,
    nodes.Tuple: _items,
    nodes.Dict: _dict,
    nodes.Getattr: _getattr,
    nodes.Getitem: _getitem,
    nodes.Call: _range,
    nodes.Filter: _called(FILTERS),
    nodes.Test: _called(TESTS),
    nodes.Compare: _compare,
    nodes.Concat: _concat,
    nodes.CondExpr: _condition,
    nodes.And: _and,
    nodes.Or: _or,
    nodes.Not: _not,
    nodes.Add: _add,
    nodes.Sub: _binary("-", operator.sub),
    nodes.Mul: _binary("*", operator.mul),
    nodes.Div: _binary("/", operator.truediv),
    nodes.FloorDiv: _binary("//", operator.floordiv),
    nodes.Mod: _binary("%", operator.mod),
    nodes.Neg: _unary("-", operator.neg),
    nodes.Pos: _unary("+", operator.pos),
}
"""What makes the program of each kind of expression."""
