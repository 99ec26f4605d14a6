"""The part of Jinja in which prompts are written: `compile_text` and `Text.render`.

A template is untrusted, and Jinja's own sandbox stops neither ``{{ 'a' * 10**9 }}`` nor loops within loops nor
``{{ x|center(10**9) }}``. So only what cannot grow is allowed: ``if``, ``for``, expressions, and the filters of
`_FILTERS`; no assignments, macros or calls (but ``range``), no ``**``, and ``*`` and ``%`` with numbers only. What is
left is bounded by the template's own size, the steps of its loops (`MAX_STEPS`) and the length of its output
(`MAX_CHARS`). A name after a dot is a key of a mapping, never an attribute of a Python object.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, meta, nodes, pass_context
from jinja2.exceptions import UndefinedError
from jinja2.filters import FILTERS
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS

from vsgen.sections.misfit import TextProblem

MAX_STEPS: Final = 10_000
"""Steps of all loops of one rendering."""
MAX_CHARS: Final = 1_000_000
"""Length of one rendered text."""
MAX_RANGE: Final = 1_000
"""Length of a ``range``."""
MAX_TOKENS: Final = 5_000
"""Tokens of Jinja in one text, plain stretches of text counted as one."""
_MAX_BITS: Final = 1_024

_STEPS: Final = "_steps"
_STATEMENTS: Final = (nodes.Output, nodes.If, nodes.For)
# Left out because they can grow or hang: center, format, indent, map, round, ...; because it draws: random.
_JINJAS_FILTERS: Final = (
    *("capitalize", "count", "d", "default", "first", "float", "int", "last", "length", "list", "lower", "max", "min"),
    *("reverse", "sort", "string", "sum", "title", "trim", "truncate", "unique", "upper", "wordcount"),
)
_JINJAS_TESTS: Final = (
    *("boolean", "defined", "divisibleby", "even", "false", "float", "in", "integer", "iterable", "lower", "mapping"),
    *("none", "number", "odd", "sequence", "string", "true", "undefined", "upper"),
    *("==", "!=", "<", "<=", ">", ">=", "eq", "equalto", "ne", "lt", "le", "gt", "ge"),
)


@dataclass(frozen=True, slots=True)
class Text:
    """A compiled text of a template."""

    needed: frozenset[str]
    """Variables without which it cannot be rendered; not those that it tests by ``is defined`` or gives a default."""
    _compiled: Template

    def render(self, values: Mapping[str, object]) -> str:
        """The text with the values in it, stripped.

        Raises:
            TextProblem: It cannot be rendered with these values, or outgrows the bounds.
        """
        try:
            return "".join(_bounded(self._compiled.generate({**values, _STEPS: iter(range(MAX_STEPS))}))).strip()
        except UndefinedError as error:
            raise TextProblem(str(error)) from None
        except Exception as error:  # whatever an untrusted text brings about is a fault of that text
            raise TextProblem(f"cannot be rendered: {error or type(error).__name__}") from None


@lru_cache(maxsize=256)
def compile_text(text: str) -> Text:
    """Compile a prompt.

    Raises:
        TextProblem: It is not Jinja, or not of the part of Jinja that is allowed here; with its line.
    """
    try:
        _check_length(text)
        tree = _ENVIRONMENT.parse(text)
        _check(tree)
        needed = meta.find_undeclared_variables(tree) - _optional(tree)
        _count_steps(tree)
        return Text(frozenset(needed - {"range"}), _ENVIRONMENT.from_string(tree))
    except TemplateSyntaxError as error:
        raise TextProblem(f"not valid Jinja: {error.message}", error.lineno) from None
    except TextProblem:
        raise
    except Exception as error:  # nested too deeply, numbers too long, ...: still the text's fault
        raise TextProblem(f"not valid Jinja: {error or type(error).__name__}") from None


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


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja without attributes of Python objects, and with operators that cannot blow up."""

    intercepted_binops = frozenset({"*", "%"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext) and not attribute.startswith("_"):
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined | Mapping | Sequence):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                pass
        return self.undefined(obj=obj, name=argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise TypeError(f"'{operator}' works on numbers only")
        if any(isinstance(number, int) and number.bit_length() > _MAX_BITS for number in (left, right)):
            raise OverflowError(f"'{operator}' on a number of more than {_MAX_BITS} bits")
        return super().call_binop(context, operator, left, right)


def _natural(value: object) -> object:
    """How a value stands in a text: text as it is, the rest as in JSON."""
    if isinstance(value, str | Undefined):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else _tojson(value)


def _tojson(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, Iterator) else value, ensure_ascii=False)


def _join(values: Iterable[object], separator: str = "") -> str:
    texts = [str(_natural(value)) for value in values]
    _limit(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _replace(text: object, old: str, new: str) -> str:
    whole = str(text)
    _limit(len(whole) + whole.count(old) * len(new))
    return whole.replace(old, new)


@pass_context
def _steps(context: Context, values: Iterable[object]) -> Iterator[object]:
    left: Iterator[int] = context[_STEPS]
    for value in values:
        if next(left, None) is None:
            raise OverflowError(f"more than {MAX_STEPS:,} loop steps")
        yield value


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > MAX_RANGE:
        raise OverflowError(f"a range of more than {MAX_RANGE:,} numbers")
    return numbers


def _limit(length: int) -> None:
    if length > MAX_CHARS:
        raise OverflowError(f"more than {MAX_CHARS:,} characters")


def _bounded(pieces: Iterable[str]) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece)
        _limit(length)
        yield piece


def _check_length(text: str) -> None:
    """Count tokens before parsing, which is slow on hostile text."""
    for count, (line, _, _) in enumerate(_ENVIRONMENT.lex(text)):
        if count >= MAX_TOKENS:
            raise TextProblem(f"more than {MAX_TOKENS:,} tokens of Jinja in one text", line)


def _check(tree: nodes.Template) -> None:
    called = {id(call.node) for call in tree.find_all(nodes.Call)}
    for node in tree.find_all(nodes.Node):
        if refused := _refused(node, called):
            raise TextProblem(f"{refused} in a template", node.lineno)


def _refused(node: nodes.Node, called: set[int]) -> str:
    """What a template may not use, or nothing."""
    refused = ""
    match node:
        case nodes.For(recursive=True):
            refused = "a for loop cannot be recursive"
        case nodes.Stmt() if not isinstance(node, _STATEMENTS):
            word = type(node).__name__.lower().replace("assignblock", "set").replace("assign", "set")
            refused = f"{{% {word} %}} is not available, only if and for are,"
        case nodes.Call() if not (isinstance(node.node, nodes.Name) and node.node.name == "range"):
            refused = "only range() can be called, use filters otherwise,"
        case nodes.Name(name="range" | "self" as name) if id(node) not in called:
            refused = f"{name!r} is no variable"
        case nodes.Pow():
            refused = "'**' is not available"
        case nodes.Filter() if node.name not in _FILTERS:
            refused = f"the filter {node.name!r} is not available, only {', '.join(sorted(_FILTERS))} are,"
        case nodes.Test() if node.name not in _JINJAS_TESTS:
            refused = f"the test {node.name!r} is not available"
    return refused


def _optional(tree: nodes.Template) -> set[str]:
    tested = [node.node for node in tree.find_all(nodes.Test) if node.name in ("defined", "undefined")]
    defaulted = [node.node for node in tree.find_all(nodes.Filter) if node.name in ("default", "d")]
    return {node.name for node in (*tested, *defaulted) if isinstance(node, nodes.Name)}


def _count_steps(tree: nodes.Template) -> None:
    for loop in list(tree.find_all(nodes.For)):
        loop.iter = nodes.Filter(loop.iter, _STEPS, [], [], None, None, lineno=loop.lineno)
    tree.set_environment(_ENVIRONMENT)


def _environment() -> _Environment:
    environment = _Environment(undefined=StrictUndefined, finalize=_natural, trim_blocks=True, lstrip_blocks=True)
    environment.globals = {"range": _range}
    filters = {name: FILTERS[name] for name in _JINJAS_FILTERS}
    environment.filters = {**filters, "join": _join, "replace": _replace, "tojson": _tojson, _STEPS: _steps}
    environment.tests = {name: TESTS[name] for name in _JINJAS_TESTS}
    return environment


_FILTERS: Final = frozenset(_JINJAS_FILTERS) | {"join", "replace", "tojson"}
_ENVIRONMENT: Final = _environment()
