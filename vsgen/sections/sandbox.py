"""The part of Jinja in which prompts are written: `compile_text` and `Text.render`.

A template is untrusted, so only what can be paid for is there: ``if``, ``for``, expressions, and the filters of
`vsgen.sections.filters`; no assignments, macros or calls (but ``range``), no ``**``, and arithmetic with numbers only.
A text is bounded before it is read (`MAX_TOKENS`, `MAX_NESTED`), before it is made a program (`MAX_DEPTH`), and while
it is rendered (`vsgen.sections.rendering`). A name after a dot is a key of a mapping, never an attribute of a Python
object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, nodes
from jinja2.exceptions import UndefinedError

from vsgen.sections.filters import FILTERS
from vsgen.sections.misfit import TextProblem
from vsgen.sections.operators import TESTS
from vsgen.sections.program import LOOP, PARTS, RANGE, Statement, body, stored
from vsgen.sections.rendering import Rendering

MAX_TOKENS: Final = 5_000
"""Tokens of Jinja in one text, plain stretches of text counted as one."""
MAX_NESTED: Final = 20
"""Brackets within brackets."""
MAX_DEPTH: Final = 100
"""Levels of a text's tree: blocks within blocks, operands of operands, filters of filters."""
_MAX_SHOWN: Final = 200
_DEEP: Final = f"nested more than {MAX_DEPTH} levels deep; write less in one expression"
_OPENS: Final = frozenset("([{")
_CLOSES: Final = frozenset(")]}")
_ENVIRONMENT: Final = Environment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
)


@dataclass(frozen=True, slots=True)
class Text:
    """A compiled text of a template."""

    names: frozenset[str]
    """All variables that it mentions."""
    needed: frozenset[str]
    """Those without which it cannot be rendered; not those that it tests by ``is defined`` or gives a default."""
    _run: Statement

    def render(self, values: Mapping[str, object], *, strip: bool = True) -> str:
        """The text with the values in it.

        Args:
            values: Of its variables.
            strip: Without blanks at its edges.

        Raises:
            TextProblem: It cannot be rendered with these values, or outgrows the bounds.
        """
        rendering = Rendering(values)
        try:
            self._run(rendering)
        except UndefinedError as error:
            raise TextProblem(_shown(error)) from None
        except Exception as error:  # whatever an untrusted text brings about is a fault of that text
            raise TextProblem(f"cannot be rendered: {_shown(error)}") from None
        text = "".join(rendering.pieces)
        return text.strip() if strip else text


@lru_cache(maxsize=256)
def compile_text(text: str) -> Text:
    """Compile a prompt.

    Raises:
        TextProblem: It is not Jinja, or not of the part of Jinja that is allowed here; with its line.
    """
    try:
        tree = _tree(text)
        names = frozenset(_free(tree, frozenset()))
        return Text(names, names - _optional(tree), body(tree.body))
    except TemplateSyntaxError as error:
        raise TextProblem(f"not valid Jinja: {error.message}", error.lineno) from None
    except TextProblem:
        raise
    except RecursionError:  # of Jinja's parser, which says no line
        raise TextProblem(_DEEP) from None
    except Exception as error:  # numbers too long, ...: still the text's fault
        raise TextProblem(f"not valid Jinja: {_shown(error)}") from None


def condition_of(text: str) -> nodes.Node:
    """The condition of a text that is one ``{% if %}``.

    Raises:
        TextProblem: The text does not compile, or is something else.
    """
    compile_text(text)
    match _ENVIRONMENT.parse(text).body:
        case [nodes.If(test=test)]:
            return test
    raise TextProblem("is more than one condition")


def paths(text: str, name: str) -> list[tuple[object, ...]]:
    """What a text reads of a variable that is a mapping: the keys after each mention of it, in their order.

    ``name.a['b']`` has the path ``("a", "b")``; a key that is computed is None and ends its path.

    Raises:
        TextProblem: The text does not compile.
    """
    compile_text(text)
    tree = _ENVIRONMENT.parse(text)
    steps: dict[int, nodes.Getattr | nodes.Getitem] = {id(node.node): node for node in tree.find_all(nodes.Getattr)}
    steps |= {id(node.node): node for node in tree.find_all(nodes.Getitem)}
    return [_path(node, steps) for node in tree.find_all(nodes.Name) if node.name == name]


def _path(node: nodes.Node, steps: Mapping[int, nodes.Getattr | nodes.Getitem]) -> tuple[object, ...]:
    found: list[object] = []
    step = steps.get(id(node))
    while step is not None and None not in found:
        match step:
            case nodes.Getattr():
                found.append(step.attr)
            case nodes.Getitem(arg=nodes.Const() as key):
                found.append(key.value)
            case _:
                found.append(None)
        step = steps.get(id(step))
    return tuple(found)


def _shown(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _tree(text: str) -> nodes.Template:
    _check_tokens(text)
    tree = _ENVIRONMENT.parse(text)
    _check_depth(tree)
    called = {id(call.node) for call in tree.find_all(nodes.Call)}
    for node in tree.find_all(nodes.Node):
        if refused := _refused(node, called):
            raise TextProblem(f"{refused} in a template", node.lineno)
    return tree


def _check_tokens(text: str) -> None:
    """Count tokens and brackets before parsing, which is slow on hostile text."""
    if len(text) <= MAX_TOKENS and sum(map(text.count, _OPENS)) <= MAX_NESTED:
        return
    open_ = 0
    for count, (line, kind, token) in enumerate(_ENVIRONMENT.lex(text)):
        if count >= MAX_TOKENS:
            raise TextProblem(
                f"more than {MAX_TOKENS:,} tokens of Jinja in one text; put data into rows or variables", line
            )
        if kind == "operator":
            open_ += (token in _OPENS) - (token in _CLOSES)
        if open_ > MAX_NESTED:
            raise TextProblem(f"more than {MAX_NESTED} brackets within brackets; write less in one expression", line)


def _check_depth(tree: nodes.Node) -> None:
    """Level by level: whatever walks a tree, does so by recursion."""
    level = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return
    raise TextProblem(_DEEP, level[0].lineno)


def _refused(node: nodes.Node, called: set[int]) -> str:
    """What a template may not use, or nothing."""
    refused = "" if isinstance(node, PARTS) else f"{type(node).__name__} is not available"
    match node:
        case nodes.For(recursive=True):
            refused = "a for loop cannot be recursive"
        case nodes.Stmt() if refused:
            word = type(node).__name__.lower().replace("assignblock", "set").replace("assign", "set")
            refused = f"{{% {word} %}} is not available, only if and for are,"
        case nodes.Pow():
            refused = "'**' is not available"
        case nodes.Name(name="range" | "self" as name) if id(node) not in called:
            refused = f"{name!r} is not a variable"
        case nodes.Name(name="loop", ctx="store"):
            refused = "'loop' cannot be what a for loop calls its items"
        case nodes.Call() | nodes.Filter() | nodes.Test():
            refused = _uncallable(node)
    return refused


def _uncallable(node: nodes.Call | nodes.Filter | nodes.Test) -> str:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        return "arguments behind '*' are not available"
    match node:
        case nodes.Call() if not (isinstance(node.node, nodes.Name) and node.node.name == RANGE) or node.kwargs:
            return "only range() can be called, use filters otherwise,"
        case nodes.Filter() if node.name not in FILTERS:
            return f"the filter {node.name!r} is not available, only {', '.join(sorted(FILTERS))} are,"
        case nodes.Test() if node.name not in TESTS:
            return f"the test {node.name!r} is not available"
    return ""


def _free(node: nodes.Node, bound: frozenset[str]) -> Iterator[str]:
    """Names that must come from outside."""
    if isinstance(node, nodes.For):
        mine = bound | stored(node)
        inside = mine | {LOOP}
        parts = [(node.iter, bound), *((each, inside) for each in node.body), *((each, bound) for each in node.else_)]
        for part, names in (*parts, *([(node.test, mine)] if node.test is not None else [])):
            yield from _free(part, names)
    elif isinstance(node, nodes.Name):
        if node.name not in bound and node.name != RANGE:
            yield node.name
    else:
        for child in node.iter_child_nodes():
            yield from _free(child, bound)


def _optional(tree: nodes.Template) -> set[str]:
    tested = [node.node for node in tree.find_all(nodes.Test) if node.name in ("defined", "undefined")]
    defaulted = [node.node for node in tree.find_all(nodes.Filter) if node.name in ("default", "d")]
    return {node.name for node in (*tested, *defaulted) if isinstance(node, nodes.Name)}
