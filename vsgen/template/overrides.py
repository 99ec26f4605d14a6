"""``--set key=value``: changes single values of a template before it is checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vsgen.template.nodes import Node, YamlProblem, read, resolve

_MAX_SHOWN: Final = 80


def override(root: Node, setting: str) -> Node:
    """The template with one value set.

    Args:
        root: The template.
        setting: ``key=value``. The key's dots lead into mappings and, by number from 0, into lists; sections that are
            not there are made. A value in brackets, braces or quotes is YAML; any other is a plain scalar of YAML,
            whatever characters it holds, and so is one that begins as Jinja does (``{{`` or ``{%``).

    Raises:
        YamlProblem: The setting has no such form.
    """
    shown = setting if len(setting) <= _MAX_SHOWN else f"{setting[:_MAX_SHOWN]}…"
    flag = f"--set {shown if shown.isprintable() else ascii(shown)}"
    try:
        setting.encode()
    except UnicodeEncodeError:
        raise YamlProblem(f"{flag}: not UTF-8") from None
    key, equals, text = setting.partition("=")
    steps = key.strip().split(".")
    if not equals or not all(steps):
        raise YamlProblem(f"{flag}: must be key=value, such as sampling.k=3")
    return _set(root, steps, _value(text.strip(), flag), flag)


def lay_over(root: Node, key: str, value: Node) -> Node:
    """The template with the value at `key`, dots and all as for `override`, replaced by a node of its own file.

    Raises:
        YamlProblem: The key leads nowhere.
    """
    steps = key.split(".")
    if not all(steps):
        raise YamlProblem(f"{value.where}: recommended: {key!r} is not a key; write one such as sampling.k")
    return _set(root, steps, value, value.where)


def _value(text: str, flag: str) -> Node:
    if text.startswith(("[", "{", '"', "'")) and not text.startswith(("{{", "{%")):
        node, problems = read(text, flag, lines=False)
        if problems:
            raise YamlProblem(problems[0].text)
        return node
    return Node(resolve(text), flag)


def _set(node: Node, steps: Sequence[str], value: Node, flag: str) -> Node:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(node.value, list):
        if not step.isdecimal() or int(step) >= len(node.value):
            raise YamlProblem(f"{flag}: {step!r} is not a position in a list of {len(node.value)}, counted from 0")
        items = list(node.value)
        items[int(step)] = _set(items[int(step)], rest, value, flag)
        return Node(items, node.source, node.line)
    mapping = node.value if isinstance(node.value, dict) else {}
    inner = mapping.get(step, Node({}, flag))
    source = (node.source, node.line) if isinstance(node.value, dict) else (flag, 0)
    return Node({**mapping, step: _set(inner, rest, value, flag)}, *source)
