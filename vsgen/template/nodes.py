"""Reads YAML into plain values that remember their lines.

The rules are those of YAML 1.2's core schema: only true, false and null are words with a meaning, so that ``on``,
``no`` and ``12:30`` are text; a number with a leading zero stays text as well. It works on PyYAML's events because its
composer can overflow the C stack, follows aliases within an allowance, and goes on after a problem so that all are
reported at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import yaml

from vsgen.template.slips import slip_of

Scalar: TypeAlias = str | int | float | bool | None

_MAX_NODES: Final = 20_000
_MAX_CHARS: Final = 4_000_000
_MAX_DEPTH: Final = 40
_MAX_SHOWN: Final = 60
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,39})")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL: Final = re.compile(r"([-+]?\.(inf|Inf|INF))|\.(nan|NaN|NAN)")
_CONTROL: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BARE: Final = re.compile(r"\{\{[^{}\n]{0,60}\}\}")
_QUOTE: Final = "put quotes around a value that begins with '{' or '['"
_TAG: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands."""

    value: Scalar | list[Node] | dict[Scalar, Node]
    source: str
    """The file, or the flag that set it."""
    line: int = 0
    """The line of its key, where it has one, else its own; 0 if a flag set it."""
    text_line: int = 0
    """The line on which the text of a literal block (``|``) begins; 0 for all others."""

    @property
    def where(self) -> str:
        """Source and line, as a message begins."""
        return f"{self.source}:{self.line}" if self.line else self.source

    def place(self, word: str) -> str:
        """Source and line of a word in a text; of the whole text where that is not known."""
        found = re.search(rf"\b{re.escape(word)}\b", self.value) if isinstance(self.value, str) else None
        if not (found and self.text_line):
            return self.where
        return f"{self.source}:{self.text_line + found.string.count(chr(10), 0, found.start())}"

    def child(self, step: str | int) -> Node | None:
        """What stands at a key of it, or at a place in it."""
        if isinstance(self.value, dict):
            return self.value.get(step)
        if isinstance(self.value, list) and isinstance(step, int) and 0 <= step < len(self.value):
            return self.value[step]
        return None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a template."""

    line: int
    """For sorting; 0 where there is none."""
    text: str


class YamlProblem(ValueError):
    """A text that cannot be read as YAML at all."""


def resolve(text: str) -> Scalar:
    """What a plain, unquoted scalar means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def read(text: str, source: str, *, lines: bool = True) -> tuple[Node, list[Problem]]:
    """Read one YAML document; returns it with the problems that did not stop the reading.

    Args:
        text: YAML.
        source: Where it is from, for messages.
        lines: Whether lines of the source mean something to the user.

    Raises:
        YamlProblem: There is no document, or it cannot be read.
    """
    try:
        reader = _Reader(text, source, lines)
        return reader.document(), reader.problems
    except yaml.MarkedYAMLError as error:
        mark, what = slip_of(error, text, _LOADER)
        where = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark and lines else source
        raise YamlProblem(f"{where}: not valid YAML: {what}") from None
    except (yaml.YAMLError, UnicodeEncodeError):  # of the reader, which knows no lines
        bad = _CONTROL.search(text)
        where = f"{source}:{text.count(chr(10), 0, bad.start()) + 1}" if bad and lines else source
        raise YamlProblem(f"{where}: not valid YAML: a control character, {bad and bad[0]!a}") from None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def plain(node: Node) -> Any:
    """The value without its places: Python's dict, list and scalars."""
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    if isinstance(node.value, dict):
        return {key: plain(item) for key, item in node.value.items()}
    return node.value


def node_of(value: object, source: str, path: Sequence[str] = ()) -> Node:
    """The node of plain values: what `read` gives for a file that says them.

    Args:
        value: A mapping, a list or a scalar.
        source: What messages call it.
        path: Of the value within the document.

    Raises:
        YamlProblem: It holds what a file cannot say.
    """
    where = f"{source}: {'.'.join(path)}: " if path else f"{source}: "
    if len(path) > _MAX_DEPTH:
        raise YamlProblem(f"{source}: nested more than {_MAX_DEPTH} levels deep")
    match value:
        case Mapping():
            return Node(
                {_scalar(key, where): node_of(item, source, [*path, str(key)]) for key, item in value.items()}, source
            )
        case list() | tuple():
            return Node([node_of(item, source, [*path, str(i)]) for i, item in enumerate(value)], source)
        case _:
            return Node(_scalar(value, where), source)


def _scalar(value: object, where: str) -> Scalar:
    if not isinstance(value, str | int | float | None) or _SURROGATE.search(str(value)):
        raise YamlProblem(f"{where}must be what YAML can hold, got {value!a:.60}")
    return value


@dataclass(slots=True)
class _Reader:
    text: str
    source: str
    lines: bool
    problems: list[Problem] = field(default_factory=list)
    _events: Iterator[Any] = field(init=False)
    _anchors: dict[str, Node] = field(default_factory=dict)
    _nodes: int = 0
    _chars: int = 0

    def __post_init__(self) -> None:
        self._events = yaml.parse(self.text, Loader=_LOADER)

    def document(self) -> Node:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise YamlProblem(f"{self.source}: is empty; vsgen init NAME writes a template to start from")
        root = self._node(next(self._events), 0)
        next(self._events)
        if not isinstance(event := next(self._events), yaml.StreamEndEvent):
            raise YamlProblem(
                f"{self._at(self._line(event))}: a second document begins here; a template is one document"
            )
        return root

    def _node(self, event: Any, depth: int, key_line: int | None = None) -> Node:
        line = key_line or self._line(event)
        self._spend(line, depth, getattr(event, "value", None))
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise YamlProblem(f"{self._at(self._line(event))}: unknown alias {_shown(event.anchor)}")
            return self._copy(self._anchors[event.anchor], line, depth)
        self._check_tag(event)
        node = self._collection(event, line, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _collection(self, event: Any, line: int, depth: int) -> Node:
        if isinstance(event, yaml.SequenceStartEvent):
            items = [self._node(each, depth + 1) for each in iter(self._next, None)]
            return Node(items, self.source, line)
        if isinstance(event, yaml.MappingStartEvent):
            return Node(self._bare(event, line) or self._mapping(depth), self.source, line)
        is_plain = event.style in (None, "") and event.tag is None
        value = resolve(event.value) if is_plain else event.value
        return Node(value, self.source, line, self._line(event) + 1 if event.style == "|" else 0)

    def _next(self) -> Any:
        """The next event of a collection; None at its end."""
        event = next(self._events)
        return None if isinstance(event, yaml.CollectionEndEvent) else event

    def _bare(self, event: Any, line: int) -> str | None:
        """The text of a value that is a variable without quotes, ``{{ x }}``, which YAML reads as two mappings."""
        begin = event.start_mark.index
        if not (bare := _BARE.match(self.text, begin)):
            return None
        while event.end_mark.index < bare.end():
            event = next(self._events)
        self._problem(line, f"{bare[0]} needs quotes: '{bare[0]}'")
        return bare[0]

    def _mapping(self, depth: int) -> dict[Scalar, Node]:
        mapping: dict[Scalar, Node] = {}
        for event in iter(self._next, None):
            line = self._line(event)
            key = self._node(event, depth + 1).value
            value = self._node(next(self._events), depth + 1, line)
            if isinstance(key, list | dict):
                self._problem(line, f"a key must be text; {_QUOTE}")
            elif key in mapping:
                self._problem(line, f"duplicate key {_shown(key)}; it is already at {mapping[key].where}")
            else:
                mapping[key] = value
        return mapping

    def _copy(self, node: Node, line: int, depth: int) -> Node:
        """What an alias stands for; its parts count again, so that aliases of aliases stay within the allowance."""
        self._spend(line, depth, node.value)
        if isinstance(node.value, list):
            return Node([self._copy(item, line, depth + 1) for item in node.value], self.source, line)
        if isinstance(node.value, dict):
            items = {key: self._copy(item, line, depth + 1) for key, item in node.value.items()}
            return Node(items, self.source, line)
        return Node(node.value, self.source, line)

    def _spend(self, line: int, depth: int, value: object) -> None:
        self._nodes += 1
        self._chars += len(value) if isinstance(value, str) else 0
        counts = (("values", self._nodes, _MAX_NODES), ("characters", self._chars, _MAX_CHARS))
        for what, count, most in counts:
            if count > most:
                raise YamlProblem(f"{self._at(line)}: too large: more than {most:,} {what}, aliases written out")
        if depth > _MAX_DEPTH:
            raise YamlProblem(f"{self._at(line)}: nested more than {_MAX_DEPTH} levels deep")

    def _check_tag(self, event: Any) -> None:
        kind = (
            "str"
            if isinstance(event, yaml.ScalarEvent)
            else "seq"
            if isinstance(event, yaml.SequenceStartEvent)
            else "map"
        )
        if event.tag not in (None, "!", _TAG + kind):
            self._problem(self._line(event), f"the tag {_shown(event.tag)} is not allowed; write plain YAML")

    def _problem(self, line: int, text: str) -> None:
        self.problems.append(Problem(line, f"{self._at(line)}: {text}"))

    def _line(self, event: Any) -> int:
        return int(event.start_mark.line) + 1 if self.lines else 0

    def _at(self, line: int) -> str:
        return f"{self.source}:{line}" if line else self.source
