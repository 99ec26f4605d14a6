"""A tree of prompts and choices, computed in forward passes of so many nodes each, without padding.

A pass takes nodes in the tree's order, so all that stands before one of them is in the same pass, or was kept by an
earlier one. What is known from earlier trees is passed over. So everything that prompts share is computed once, on all
levels, and what they do not share costs nothing but itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsgen.backends.decoding.forward import Forward, Ids, Pass, Stored
from vsgen.backends.decoding.pool import START, Pool
from vsgen.backends.decoding.tree import Tree

_SCORES = 1 << 26
"""Numbers in one forward pass's scores: nodes x vocabulary."""


class Read(NamedTuple):
    """What is read of a tree, [nodes], float64; nats, meaningless for the nodes of prompts before their last."""

    logps: NDArray[np.float64]
    """Of each branch's token after its parent."""
    closes: NDArray[np.float64]
    """Of an end after each node."""


class Passes:
    """Computes one tree; between passes the nodes that later ones look back at are in the pool."""

    def __init__(self, network: Forward, pool: Pool, tree: Tree, roots: Sequence[int], ends: Ids) -> None:
        """Set up.

        Args:
            network: Computes.
            pool: Keeps.
            tree: What is computed.
            roots: The nodes that branches grow from.
            ends: What may end a branch; they count together.
        """
        self._network = network
        self._pool = pool
        self._tree = tree
        self._tree_ends = np.array(tree.ends)
        self._ends = ends
        self._asked = [not inner for inner in tree.inner]
        for root in roots:
            self._asked[root] = True
        self._branches: dict[int, list[int]] = {}
        """The branches right behind a node."""
        for node, inner in enumerate(tree.inner):
            if not inner:
                self._branches.setdefault(tree.parents[node], []).append(node)
        self._numbers = [START] * len(tree)
        """In the pool."""
        self._read = Read(np.zeros(len(tree)), np.zeros(len(tree)))

    def run(self, size: int) -> Read:
        """Compute all, in passes of at most so many nodes."""
        self._pool.need(max(self._tree.depths) + 1 + size)
        most = max(1, _SCORES // self._network.vocabulary)
        at = 0
        while at < len(self._tree):
            nodes, at = self._gather(at, size, most)
            if nodes:
                self._compute(nodes, at)
        return self._read

    def _gather(self, at: int, size: int, most: int) -> tuple[list[int], int]:
        """The nodes of the next pass, at most `most` of them asked; and the node to go on with."""
        nodes: list[int] = []
        while at < len(self._tree) and len(nodes) < size and (most or not self._asked[at]):
            if self._asked[at] or not self._known(at):
                nodes.append(at)
                most -= self._asked[at]
            at += 1
        return nodes, at

    def _known(self, node: int) -> bool:
        """Whether the pool has a node; then its number is noted."""
        tree, parent = self._tree, self._tree.parents[node]
        before = self._numbers[parent] if parent >= 0 else START
        if parent >= 0 and before == START:
            return False  # its parent is in this pass itself
        found = self._pool.find(before, tree.tokens[node])
        if found is not None:
            self._numbers[node] = found
        return found is not None

    def _compute(self, nodes: list[int], following: int) -> None:
        tree, pool = self._tree, self._pool
        before = self._before(nodes)
        numbers = [self._numbers[node] for node in before]
        asked = [place for place, node in enumerate(nodes) if self._asked[node]]
        row = {nodes[place]: i for i, place in enumerate(asked)}
        branches = [(i, branch) for node, i in row.items() for branch in self._branches.get(node, ())]
        found = self._network.tree(
            pool.take(numbers),
            Pass(
                tokens=[tree.tokens[node] for node in nodes],
                positions=[tree.depths[node] for node in [*before, *nodes]],
                visible=self._visible(nodes, [*before, *nodes]),
                asked=asked,
                rows=[i for i, _ in branches],
                following=[tree.tokens[branch] for _, branch in branches],
                ends=self._ends,
            ),
        )
        self._read.logps[[branch for _, branch in branches]] = found.logps
        self._read.closes[[nodes[place] for place in asked]] = found.closes
        pool.use(reversed(numbers))
        self._keep(nodes, following, found.stored)

    def _before(self, nodes: Sequence[int]) -> list[int]:
        """What stands before nodes of a pass and is not in it."""
        inside, found = set(nodes), set[int]()
        for node in nodes:
            parent = self._tree.parents[node]
            while parent >= 0 and parent not in inside and parent not in found:
                found.add(parent)
                parent = self._tree.parents[parent]
        return sorted(found)

    def _visible(self, nodes: Sequence[int], seen: Sequence[int]) -> NDArray[np.bool_]:
        """[nodes, seen], True where the second is the first itself or stands before it."""
        asking, asked = np.array(nodes)[:, None], np.array(seen)
        visible: NDArray[np.bool_] = (asked <= asking) & (asking < self._tree_ends[asked])
        return visible

    def _keep(self, nodes: Sequence[int], following: int, stored: Stored) -> None:
        """Keep prompts, and what the next passes look back at."""
        tree, pool = self._tree, self._pool
        open_ = self._before([following]) if following < len(tree) else []
        pool.use(self._numbers[node] for node in reversed(open_) if self._numbers[node] != START)
        columns = [i for i, node in enumerate(nodes) if tree.inner[node] or tree.ends[node] > following]
        for node in (nodes[i] for i in columns):
            parent = tree.parents[node]
            self._numbers[node] = pool.place(self._numbers[parent] if parent >= 0 else START, tree.tokens[node])
        numbers = [self._numbers[nodes[i]] for i in columns]
        if numbers:
            pool.put(numbers, stored, columns)
            pool.use(reversed(numbers))
