"""Models of this process that a template itself names, and where: nobody has named them on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vsgen.labels.judge import Judge
    from vsgen.template.nodes import Node
    from vsgen.template.schema import Template


class Named(NamedTuple):
    """A model's name in a template."""

    where: str
    """File, line and key, as a message begins."""
    name: str


def named(template: Template, root: Node, source: str) -> Iterator[Named]:
    """The models and embedders that the template names, but for those that ``--set`` put there.

    Args:
        template: As it was checked.
        root: What it was made of.
        source: What messages call it, and its own nodes.
    """
    dedup = template.dedup or None
    names: dict[tuple[str | int, ...], str | None] = {("model",): None if template.endpoint else template.model}
    names[("dedup", "embedder")] = dedup and (None if dedup.endpoint else dedup.embedder)
    for i, label in enumerate(template.labels):
        names |= {("labels", i, *at.model): _here(at.judge) for at in label.written}
    for path, name in names.items():
        node = _find(path, root)
        if name is not None and (node is None or node.source == source):
            yield Named(f"{node.where if node else source}: {'.'.join(map(str, path))}", name)


def _here(judge: Judge) -> str | None:
    """The name of a judge of this process; None of one behind a URL, and of the run's own model."""
    return None if judge.endpoint else judge.name


def _find(path: tuple[str | int, ...], node: Node | None) -> Node | None:
    for step in path:
        node = node and node.child(step)
    return node
