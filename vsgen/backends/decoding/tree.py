"""The tree of several token sequences: sequences that begin alike share nodes, so one forward pass scores them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Tree:
    """Nodes in an order in which parents come first; node 0, the root, stands for the prompt's last token."""

    tokens: tuple[int, ...]
    """Each node's token; the root's is a placeholder."""
    parents: tuple[int, ...]
    """Each node's parent; the root's is itself."""
    depths: tuple[int, ...]
    paths: tuple[tuple[int, ...], ...]
    """Each sequence's nodes below the root."""

    def ancestors(self) -> NDArray[np.bool_]:
        """[nodes, nodes], True where the column is the row's node itself or above it."""
        seen = np.eye(len(self.parents), dtype=bool)
        for node, parent in enumerate(self.parents):
            seen[node] |= seen[parent]
        return seen


def plant(sequences: Sequence[Sequence[int]]) -> Tree:
    """The tree of some token sequences."""
    tokens, parents, depths = [0], [0], [0]
    children: dict[tuple[int, int], int] = {}
    paths = []
    for sequence in sequences:
        node, path = 0, []
        for token in sequence:
            child = children.setdefault((node, token), len(tokens))
            if child == len(tokens):
                tokens.append(token)
                parents.append(node)
                depths.append(depths[node] + 1)
            node = child
            path.append(node)
        paths.append(tuple(path))
    return Tree(tuple(tokens), tuple(parents), tuple(depths), tuple(paths))
