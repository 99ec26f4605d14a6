"""Replaces the file that a label names as its examples by the rows in it, which messages name by their own lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from vsgen.errors import InputError
from vsgen.files.rows import STDIN, RowInput
from vsgen.template.nodes import Node, YamlProblem, node_of

_KEY: Final = "examples"


def with_rows(root: Node, template: str, given: str | None = None) -> Node:
    """A template whose labels have rows as their examples.

    Args:
        root: The template.
        template: What messages call it. A path that it says itself starts in its folder and stays there; one that a
            flag says is the user's own.
        given: A file whose rows take the place of every label's examples, as far as they have a field of its name.

    Raises:
        YamlProblem: A file cannot be read, or has no row for the labels.
    """
    labels = root.value.get("labels") if isinstance(root.value, dict) else None
    if not isinstance(root.value, dict) or labels is None:
        return root
    each = labels.value if isinstance(labels.value, list) else [labels]
    rows = None if given is None else _rows(Path(given), "--examples")
    made = [_with_rows(one, template, rows) for one in each]
    if all(new is old for new, old in zip(made, each, strict=True)):
        if rows is None:
            return root
        names = ", ".join(filter(None, map(_name, each)))
        raise YamlProblem(f"{given}: no row has a field of a label's name ({names}); give the known class there")
    return Node({**root.value, "labels": Node(made, labels.source, labels.line)}, root.source, root.line)


def _with_rows(label: Node, template: str, given: Sequence[Node] | None) -> Node:
    if not isinstance(label.value, dict):
        return label
    found = label.value.get(_KEY)
    name = _name(label)
    if given is not None:
        known = [row for row in given if isinstance(row.value, dict) and row.child(name) is not None]
        return _replaced(label, Node(known, label.source)) if known else label
    if found is None or not isinstance(found.value, str):
        return label
    rows = [row for row in _rows(_path(found, template), found.where) if row.child(name) is not None]
    if not rows:
        remedy = "give the known class there, or name the label as that field is named"
        raise YamlProblem(f"{found.where}: {_KEY}: no row of {found.value} has a field {name!r}; {remedy}")
    return _replaced(label, Node(rows, found.source, found.line))


def _replaced(label: Node, rows: Node) -> Node:
    assert isinstance(label.value, dict)
    return Node({**label.value, _KEY: rows}, label.source, label.line)


def _name(label: Node) -> str:
    named = label.child("name")
    return str(named.value) if named else ""


def _path(found: Node, template: str) -> Path:
    """Where the rows are.

    Raises:
        YamlProblem: A template leads out of its own folder, which could read what the user did not mean to show.
    """
    path = Path(str(found.value))
    if found.source != template:
        return path
    folder = Path(template).parent
    if not (folder / path).resolve().is_relative_to(folder.resolve()):
        remedy = "move the file there, or name it on the command line: --examples FILE"
        got = f"got {found.value!r}"
        raise YamlProblem(f"{found.where}: {_KEY}: a file of a template is in its folder or below it, {got}; {remedy}")
    return folder / path


def _rows(path: Path, where: str) -> list[Node]:
    """The rows of a file, each with its line.

    Raises:
        YamlProblem: They cannot be read, or there are none.
    """
    if str(path) == STDIN:
        raise YamlProblem(f"{where}: must be a file, got '-'; write the rows to one")
    try:
        rows = list(_nodes(path))
    except InputError as error:
        raise YamlProblem(f"{where}: {error}") from None
    if not rows:
        raise YamlProblem(f"{where}: {path} has no rows; give rows of JSON with the text and the known class")
    return rows


def _nodes(path: Path) -> Iterator[Node]:
    for row in RowInput(str(path)).rows():
        node = node_of(row.fields, row.where)
        yield Node(node.value, row.where)
