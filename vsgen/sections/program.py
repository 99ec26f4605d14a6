"""A text's tree as a program: every node becomes a function of a `Rendering`.

Jinja reads the text, and no more: nothing is compiled to Python, folded beforehand or run by Jinja. A node that has no
place here cannot be used, so what a template can do is what this module says.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeAlias

from jinja2 import StrictUndefined, Undefined, nodes

from vsgen.sections.filters import FILTERS, found, natural
from vsgen.sections.operators import COMPARISONS, TESTS, added, reckoned
from vsgen.sections.rendering import Rendering, whole

MAX_RANGE: Final = 1_000
"""Length of a ``range``."""
LOOP: Final = "loop"
RANGE: Final = "range"

Value: TypeAlias = Callable[[Rendering], Any]
"""An expression."""
Statement: TypeAlias = Callable[[Rendering], None]
_MISSING: Final = object()


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """What ``loop`` is in the body of a loop; nobody paid for its items, so they are not written or compared."""

    items: Sequence[Any]
    index0: int

    def __repr__(self) -> str:
        """As in Jinja."""
        return f"<LoopContext {self.index0 + 1}/{len(self.items)}>"

    def key(self, name: str) -> Any:
        """What stands behind the dot."""
        reader = _LOOP_KEYS.get(name)
        return StrictUndefined(obj=self, name=name) if reader is None else reader(self, len(self.items))

    def neighbor(self, place: int) -> Any:
        """Another item of the loop."""
        there = 0 <= place < len(self.items)
        return self.items[place] if there else StrictUndefined("the loop has no item there")


_LOOP_KEYS: Final[Mapping[str, Callable[[Loop, int], Any]]] = {
    "index": lambda loop, _: loop.index0 + 1,
    "index0": lambda loop, _: loop.index0,
    "revindex": lambda loop, length: length - loop.index0,
    "revindex0": lambda loop, length: length - loop.index0 - 1,
    "first": lambda loop, _: loop.index0 == 0,
    "last": lambda loop, length: loop.index0 == length - 1,
    "length": lambda _, length: length,
    "depth": lambda *_: 1,
    "depth0": lambda *_: 0,
    "previtem": lambda loop, _: loop.neighbor(loop.index0 - 1),
    "nextitem": lambda loop, _: loop.neighbor(loop.index0 + 1),
}


def body(tree: Iterable[nodes.Node]) -> Statement:
    """The program of some statements."""
    steps = [_STATEMENTS[type(node)](node) for node in tree]
    if len(steps) == 1:
        return steps[0]

    def run(rendering: Rendering) -> None:
        for step in steps:
            step(rendering)

    return run


def _value(node: nodes.Node) -> Value:
    return _VALUES[type(node)](node)


def _output(node: nodes.Output) -> Statement:
    pieces = [piece.data if isinstance(piece, nodes.TemplateData) else _value(piece) for piece in node.nodes]

    def output(rendering: Rendering) -> None:
        for piece in pieces:
            rendering.write(piece if isinstance(piece, str) else natural(rendering, piece(rendering)))

    return output


def _if(node: nodes.If) -> Statement:
    branches = [(_value(each.test), body(each.body)) for each in (node, *node.elif_)]
    otherwise = body(node.else_)

    def run(rendering: Rendering) -> None:
        for test, branch in branches:
            if test(rendering):
                return branch(rendering)
        return otherwise(rendering)

    return run


def _for(node: nodes.For) -> Statement:
    bind, inner, otherwise = _target(node.target), body(node.body), body(node.else_)
    chosen = _chosen(node, bind)
    names = stored(node) | ({LOOP} & {name.name for part in node.body for name in _names(part)})

    def run(rendering: Rendering) -> None:
        before = {name: rendering.values.get(name, _MISSING) for name in names}
        items = list(chosen(rendering))
        for place, item in enumerate(items):
            bind(rendering, item)
            if LOOP in names:
                rendering.values[LOOP] = Loop(items, place)
            inner(rendering)
        _restore(rendering.values, before)
        if not items:
            otherwise(rendering)

    return run


def _chosen(node: nodes.For, bind: Callable[[Rendering, Any], None]) -> Callable[[Rendering], Iterator[Any]]:
    """The items of a loop for which its condition holds."""
    iterable, condition = _value(node.iter), node.test
    test = _value(condition) if condition is not None else None
    size = 1 + sum(map(_size, (*node.body, *([condition] if condition is not None else []))))

    def chosen(rendering: Rendering) -> Iterator[Any]:
        for item in iterable(rendering):
            rendering.step(size)
            if test is not None:
                bind(rendering, item)
            if test is None or test(rendering):
                yield item

    return chosen


def _restore(values: dict[str, object], before: Mapping[str, object]) -> None:
    for name, value in before.items():
        if value is _MISSING:
            values.pop(name, None)
        else:
            values[name] = value


def _target(node: nodes.Node) -> Callable[[Rendering, Any], None]:
    """Gives the names of a loop an item, or its parts."""
    if isinstance(node, nodes.Name):
        name = node.name

        def bind(rendering: Rendering, item: Any) -> None:
            rendering.values[name] = item

        return bind
    parts: Any = node
    targets = [_target(each) for each in parts.items]

    def unpack(rendering: Rendering, item: Any) -> None:
        parts = list(islice(iter(item), len(targets) + 1))
        if len(parts) != len(targets):
            got = "more" if len(parts) > len(targets) else len(parts)
            raise ValueError(f"a loop over {len(targets)} names takes items of as many parts, got {got}")
        for target, part in zip(targets, parts, strict=True):
            target(rendering, part)

    return unpack


def _names(node: nodes.Node) -> Iterator[nodes.Name]:
    """All names within a node, itself included."""
    if isinstance(node, nodes.Name):
        yield node
    yield from node.find_all(nodes.Name)


def stored(loop: nodes.For) -> set[str]:
    """The names that a loop gives its items."""
    return {name.name for name in _names(loop.target)}


def _size(node: nodes.Node) -> int:
    """Nodes that are evaluated when a loop goes round once; loops within pay for their own rounds."""
    children = [node.iter] if isinstance(node, nodes.For) else list(node.iter_child_nodes())
    return 1 + sum(map(_size, children))


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
    items, kind = [_value(item) for item in node.items], list if isinstance(node, nodes.List) else tuple

    def make(rendering: Rendering) -> Any:
        made = kind([item(rendering) for item in items])
        rendering.weigh(made)
        return made

    return make


def _dict(node: nodes.Dict) -> Value:
    items = [(_value(pair.key), _value(pair.value)) for pair in node.items]

    def make(rendering: Rendering) -> Any:
        pairs = [(key(rendering), value(rendering)) for key, value in items]
        rendering.weigh(pairs)
        return dict(pairs)

    return make


def _getattr(node: nodes.Getattr) -> Value:
    name, holder = node.attr, _value(node.node)

    def load(rendering: Rendering) -> Any:
        held = holder(rendering)
        return held.key(name) if isinstance(held, Loop) else found(held, name)

    return load


def _getitem(node: nodes.Getitem) -> Value:
    if isinstance(node.arg, nodes.Slice):
        return _slice(node)
    holder, key = _value(node.node), _value(node.arg)

    def load(rendering: Rendering) -> Any:
        held, at = holder(rendering), key(rendering)
        rendering.read(at)
        return held.key(str(at)) if isinstance(held, Loop) else found(held, at)

    return load


def _slice(node: nodes.Getitem) -> Value:
    cut: Any = node.arg
    holder, bounds = _value(node.node), [_optional(each) for each in (cut.start, cut.stop, cut.step)]

    def make(rendering: Rendering) -> Any:
        made = holder(rendering)[slice(*(bound(rendering) for bound in bounds))]
        rendering.weigh(made)
        return made

    return make


def _optional(node: nodes.Expr | None) -> Value:
    return (lambda _: None) if node is None else _value(node)


def _range(node: nodes.Call) -> Value:
    bounds = [_value(argument) for argument in node.args]

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
        arguments = [_value(argument) for argument in node.args]
        options = [(str(option.key), _value(option.value)) for option in node.kwargs]

        def plain(rendering: Rendering) -> Any:
            return function(rendering, value(rendering))

        def call(rendering: Rendering) -> Any:
            given = [argument(rendering) for argument in arguments]
            return function(rendering, value(rendering), *given, **{key: each(rendering) for key, each in options})

        return call if arguments or options else plain

    return make


def _compare(node: nodes.Compare) -> Value:
    first = _value(node.expr)
    others = [(COMPARISONS[each.op], _value(each.expr)) for each in node.ops]

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
    parts = [_value(part) for part in node.nodes]
    return lambda rendering: rendering.made("".join([rendering.text(part(rendering)) for part in parts]))


def _condition(node: nodes.CondExpr) -> Value:
    test, yes = _value(node.test), _value(node.expr1)
    no = _value(node.expr2) if node.expr2 is not None else lambda _: Undefined()  # as in Jinja: it writes nothing
    return lambda rendering: yes(rendering) if test(rendering) else no(rendering)


def _and(node: nodes.And) -> Value:
    left, right = _value(node.left), _value(node.right)
    return lambda rendering: left(rendering) and right(rendering)


def _or(node: nodes.Or) -> Value:
    left, right = _value(node.left), _value(node.right)
    return lambda rendering: left(rendering) or right(rendering)


def _not(node: nodes.Not) -> Value:
    value = _value(node.node)
    return lambda rendering: not value(rendering)


def _add(node: nodes.Add) -> Value:
    left, right = _value(node.left), _value(node.right)
    return lambda rendering: added(rendering, left(rendering), right(rendering))


def _binary(sign: str, function: Callable[[Any, Any], Any]) -> Callable[[Any], Value]:
    reckon = reckoned(sign, function)

    def make(node: nodes.BinExpr) -> Value:
        left, right = _value(node.left), _value(node.right)
        return lambda rendering: reckon(left(rendering), right(rendering))

    return make


def _unary(sign: str, function: Callable[[Any], Any]) -> Callable[[Any], Value]:
    reckon = reckoned(sign, function)

    def make(node: nodes.UnaryExpr) -> Value:
        value = _value(node.node)
        return lambda rendering: reckon(value(rendering))

    return make


_STATEMENTS: Final[Mapping[type[nodes.Node], Callable[[Any], Statement]]] = {
    nodes.Output: _output,
    nodes.If: _if,
    nodes.For: _for,
}
_VALUES: Final[Mapping[type[nodes.Node], Callable[[Any], Value]]] = {
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
PARTS: Final[tuple[type[nodes.Node], ...]] = (
    *_STATEMENTS,
    *_VALUES,
    *(nodes.Template, nodes.TemplateData, nodes.Slice, nodes.Pair, nodes.Keyword, nodes.Operand),
)
"""All nodes that a text may be made of."""
