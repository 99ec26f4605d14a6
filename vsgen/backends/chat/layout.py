"""Lays a conversation out by a tokenizer's chat template, within bounds: a template that comes with a model may hurt.

What differs from Jinja, whichever dialect of it a template is written in: loops and calls are counted, what is
written is measured, and no operator, filter or method may make a text or a list of more than `MAX_CHARS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, wraps
from typing import Any, Final

from jinja2 import Environment, Template, nodes, pass_context, pass_eval_context
from jinja2.exceptions import SecurityError, TemplateError, TemplateRuntimeError
from jinja2.filters import do_join
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

MAX_STEPS: Final = 20_000
"""Steps of all loops, calls and values written, of one conversation; fewer where a template is of megabytes."""
MAX_CHARS: Final = 10_000_000
"""Length of what is made, beyond some copies of the conversation itself."""
MAX_PARTS: Final = 100_000
"""Of a value: lists in lists, each counted as often as it stands there."""
_STATIC: Final = 200_000_000
"""Characters that the plain text of a template may make, were all of it written in each step."""
_COPIES: Final = 8
_WIDE: Final = re.compile(r"\d{6}|\*")
"""What a format has that asks for millions of blanks."""
_REPEATING: Final = frozenset({"replace", "indent", "wordwrap", "expandtabs"})
"""What may write an argument, or as many blanks, over and over."""
_BUDGET: Final = "_budget"
_COUNTED: Final = "_counted"
_JOINED: Final = "_joined"
_SIZED: Final = "_sized"


def lay_out(
    template: str,
    turns: Sequence[Mapping[str, str]],
    *,
    names: Mapping[str, Any],
    dialect: Callable[[], ImmutableSandboxedEnvironment],
    opened: bool = False,
) -> str:
    """A conversation as one text.

    Args:
        template: Writes it.
        turns: The role and the content of each.
        names: Of special tokens, as the template knows them.
        dialect: Makes the Jinja that the template is written in.
        opened: Begin the reply.

    Raises:
        TemplateError: Of Jinja: the template refuses the conversation, is broken, or outgrows the bounds.
    """
    try:
        steps = min(MAX_STEPS, _STATIC // (len(template) + 1))
        budget = _Budget(steps, MAX_CHARS + _COPIES * sum(len(turn["content"]) for turn in turns))
        values = {**names, "messages": [*map(dict, turns)], "tools": None, "documents": None}
        compiled = _compiled(template, dialect)
        return compiled.render({**values, "add_generation_prompt": opened, _BUDGET: budget})
    except TemplateError:
        raise
    except Exception as error:  # whatever a template brings about is a fault of it
        raise TemplateRuntimeError(f"{type(error).__name__}: {error}") from error


class _Budget:
    """What is left to one conversation."""

    def __init__(self, steps: int, chars: int) -> None:
        self._steps = steps
        self._chars = chars

    def step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise SecurityError("too many steps of loops and calls")

    def write(self, value: object) -> None:
        self.step()
        self._chars -= _weight(value)
        if self._chars < 0:
            raise _too_long()


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja, counted."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        sizes = [len(one) for one in (left, right) if isinstance(one, str | list | tuple)]
        numbers = [abs(one) for one in (left, right) if isinstance(one, int)]
        if operator == "+":
            _limit(_weight(left) + _weight(right))
        elif operator == "*":
            _limit(max(sizes, default=0) * max(numbers, default=0) if sizes else _bits(*numbers))
        elif operator == "**":
            _limit(_bits(left) * abs(right) if isinstance(left, int) and isinstance(right, int) else 0)
        elif isinstance(left, str):
            _check_format(left)
            _weight(right)
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, function: Any, *args: Any, **names: Any) -> Any:
        context[_BUDGET].step()
        name, value = getattr(function, "__name__", ""), getattr(function, "__self__", None)
        if name == "join" and args:
            args = (_listed(args[0], value),)
        _check_arguments(name, value, args, names)
        return _sized(super().call(context, function, *args, **names))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        if wrapped is not None:
            _check_format(str(value.__self__))
        return wrapped


class _Counting(NodeTransformer):
    """Counts the steps of loops, and measures lists and what `~` joins."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = _filter(node.iter, _COUNTED)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), _JOINED)

    def visit_List(self, node: nodes.List) -> nodes.Node:
        self.generic_visit(node)
        return node if all(isinstance(one, nodes.Const) for one in node.items) else _filter(node, _SIZED)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        self.generic_visit(node)
        return _filter(node, _SIZED)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        return _filter(node, _SIZED) if node.ctx == "load" else node


@lru_cache(maxsize=8)
def _compiled(text: str, dialect: Callable[[], ImmutableSandboxedEnvironment]) -> Template:
    theirs = dialect()
    ours = object.__new__(_Environment)
    ours.__dict__.update(theirs.__dict__)
    ours.optimized = False
    ours.filters = {name: _guarded(name, one) for name, one in theirs.filters.items()}
    ours.filters |= {_COUNTED: _counted, _JOINED: _joined, _SIZED: _sized, "join": _join}
    ours.finalize = _measured
    tree = _Counting().visit(theirs.parse(text))
    tree.set_environment(ours)
    return ours.from_string(tree)


def _filter(node: Any, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


@pass_context
def _counted(context: Context, values: Iterable[object]) -> Iterator[object]:
    for value in values:
        context[_BUDGET].step()
        yield value


@pass_context
def _measured(context: Context, value: object) -> object:
    context[_BUDGET].write(value)
    return value


def _joined(values: Iterable[object]) -> str:
    texts = [str(value) for value in values if _weight(value) >= 0]
    _limit(sum(map(len, texts)))
    return "".join(texts)


@pass_eval_context
def _join(context: EvalContext, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    return str(do_join(context, _listed(value, d), d, attribute))


def _listed(values: Iterable[Any], between: object) -> list[Any]:
    """What is to be joined, measured."""
    listed = list(values)
    _limit(_weight(listed) + len(listed) * (len(between) if isinstance(between, str) else 0))
    return listed


def _guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose arguments and outcome are measured."""

    @wraps(function)
    def guarded(*args: Any, **names: Any) -> Any:
        given = [one for one in args if not isinstance(one, Context | EvalContext | Environment)]
        _check_arguments(name, given[0] if given else None, given[1:], names)
        return _sized(function(*args, **names))

    return guarded


def _check_arguments(name: str, value: object, args: Sequence[object], names: Mapping[str, object]) -> None:
    """Refuse what would make too long a text before it is made."""
    given = [*args, *names.values()]
    for one in given:
        _limit(abs(one) if isinstance(one, int) else _weight(one))
    length = _weight(value)
    if name == "format" and isinstance(value, str):
        _check_format(value)
    texts = [len(one) for one in given if isinstance(one, str)]
    if name in _REPEATING:
        _limit((length + 1) * max(1, *texts, *(abs(one) for one in given if isinstance(one, int))))


def _check_format(text: str) -> None:
    if _WIDE.search(text):
        raise SecurityError("a format that asks for millions of blanks")


def _weight(value: object) -> int:
    """The characters of a text; the parts of anything else, and their characters."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, int | float | None):
        return 1
    weight, parts, left = 0, 0, [value]
    while left:
        one = left.pop()
        parts += 1
        if isinstance(one, str):
            weight += len(one)
        elif isinstance(one, Mapping):
            left += [*one, *one.values()]
        elif isinstance(one, list | tuple):
            left += one
        if parts + len(left) > MAX_PARTS:
            raise SecurityError(f"a value of more than {MAX_PARTS:,} parts")
    return weight + parts


def _sized(value: Any) -> Any:
    if isinstance(value, str | list | tuple | dict):
        _limit(_weight(value))
    return value


def _bits(*numbers: int) -> int:
    return sum(abs(number).bit_length() for number in numbers)


def _limit(length: int) -> None:
    if length > MAX_CHARS:
        raise _too_long()


def _too_long() -> SecurityError:
    return SecurityError(f"more than {MAX_CHARS:,} characters")
