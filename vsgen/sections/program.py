"""A text's tree as a program: every node becomes a function of a `Rendering`.

Jinja reads the text, and no more: nothing is compiled to Python, folded beforehand or run by Jinja. A node that has no
place here or in `vsgen.sections.expressions` cannot be used, so what a template can do is what these modules say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeAlias

from jinja2 import nodes

from vsgen.sections.expressions import EXPRESSIONS, value_of
from vsgen.sections.filters import natural
from vsgen.sections.loop import Loop
from vsgen.sections.rendering import Rendering

LOOP: Final = "loop"
RANGE: Final = "range"

Statement: TypeAlias = Callable[[Rendering], None]
_MISSING: Final = object()


def body(tree: Iterable[nodes.Node]) -> Statement:
    """The program of some statements."""
    steps = [_STATEMENTS[type(node)](node) for node in tree]
    if len(steps) == 1:
        return steps[0]

    def run(rendering: Rendering) -> None:
        for step in steps:
            step(rendering)

    return run


def _output(node: nodes.Output) -> Statement:
    pieces = [piece.data if isinstance(piece, nodes.TemplateData) else value_of(piece) for piece in node.nodes]

    def output(rendering: Rendering) -> None:
        for piece in pieces:
            rendering.write(piece if isinstance(piece, str) else natural(rendering, piece(rendering)))

    return output


def _if(node: nodes.If) -> Statement:
    branches = [(value_of(each.test), body(each.body)) for each in (node, *node.elif_)]
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
    iterable, condition = value_of(node.iter), node.test
    test = value_of(condition) if condition is not None else None
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


_STATEMENTS: Final[Mapping[type[nodes.Node], Callable[[Any], Statement]]] = {
    nodes.Output: _output,
    nodes.If: _if,
    nodes.For: _for,
}
PARTS: Final[tuple[type[nodes.Node], ...]] = (
    *_STATEMENTS,
    *EXPRESSIONS,
    *(nodes.Template, nodes.TemplateData, nodes.Slice, nodes.Pair, nodes.Keyword, nodes.Operand),
)
"""All nodes that a text may be made of."""
