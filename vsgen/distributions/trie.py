"""The prefix trie of tokenised answers: after every prefix, the exact distribution of the next token.

With M(prefix) the probability of all answers that begin with a prefix, an answer being its tokens and then the end
token, q(token | prefix) = M(prefix + token) / M(prefix); these are the soft targets of arXiv 2605.11845. Along an
answer the q multiply to its probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Trie:
    """Nodes in preorder, so that a parent comes before its children; node 0, the root, is the empty prefix."""

    parents: Ints
    """[nodes]; the root's is -1."""
    tokens: Ints
    """[nodes], each prefix's last token; the root's is -1."""
    depths: Ints
    """[nodes], each prefix's length."""
    masses: Floats
    """[nodes], each prefix's probability; the root's is 1."""
    probs: Floats
    """[nodes], the token's probability given all before it."""
    leaves: Ints
    """[answers], the node at which an answer's end token stands; answers of equal tokens share one, and -1 stands for
    an answer of probability 0, which has none."""

    def path(self, leaf: int) -> list[int]:
        """The nodes from below the root down to a leaf."""
        nodes, node = [], leaf
        while node > 0:
            nodes.append(node)
            node = int(self.parents[node])
        return nodes[::-1]

    def children(self, node: int) -> Ints:
        """The nodes one token further, the most probable first; in preorder where they are equally so."""
        within = np.arange(node + 1, self.end_of(node))
        children = within[self.parents[within] == node]
        ordered: Ints = children[np.argsort(-self.probs[children], kind="stable")]
        return ordered

    def end_of(self, node: int) -> int:
        """The first node after all that begin with this one."""
        shallower = np.flatnonzero(self.depths[node + 1 :] <= self.depths[node])
        return node + 1 + int(shallower[0]) if len(shallower) else len(self.parents)


def plant(spelled: Sequence[Sequence[int]], probs: Sequence[float], end: int) -> Trie:
    """The trie of a distribution over answers.

    Args:
        spelled: The tokens of each answer, without an end.
        probs: One per answer, in sum 1.
        end: The token that ends an answer.

    Raises:
        ValueError: An answer contains the end token.
    """
    weights = np.asarray(probs, np.float64)
    used = np.flatnonzero(weights > 0)
    rows = _rows([spelled[i] for i in used.tolist()], end)
    order = np.lexsort(rows.T[::-1])
    rows, real = rows[order], rows[order] >= 0
    fresh = real & (np.cumsum(_changed(rows), axis=1) > 0)
    lines, depths = np.nonzero(fresh)  # row by row, left to right: preorder
    numbers = np.zeros(rows.shape, np.int64)
    numbers[lines, depths] = np.arange(1, len(lines) + 1)
    numbers = np.maximum.accumulate(numbers, axis=0)
    parents = np.where(depths > 0, numbers[lines, np.maximum(depths - 1, 0)], 0)
    ends = numbers[np.arange(len(rows)), real.sum(axis=1) - 1]
    masses: Floats = np.bincount(ends, weights[used[order]], len(lines) + 1).astype(np.float64)
    leaves = np.full(len(weights), -1)
    leaves[used[order]] = ends
    parents = np.concatenate(([-1], parents))
    depths = np.concatenate(([0], depths + 1))
    _gather(masses, parents, depths)
    conditional = masses / np.where(parents >= 0, masses[parents], masses[0])
    return Trie(parents, np.concatenate(([-1], rows[fresh])), depths, masses, conditional, leaves)


def _rows(spelled: Sequence[Sequence[int]], end: int) -> Ints:
    """[answers, longest + 1]: tokens, the end, then -1."""
    lengths = np.fromiter(map(len, spelled), np.int64, len(spelled))
    columns = np.arange(int(lengths.max()) + 1)
    rows = np.full((len(spelled), len(columns)), -1)
    rows[columns < lengths[:, None]] = np.fromiter(chain.from_iterable(spelled), np.int64, int(lengths.sum()))
    if (rows == end).any():
        raise ValueError(f"an answer contains the token that ends a reply, {end}")
    rows[np.arange(len(rows)), lengths] = end
    return rows


def _changed(rows: Ints) -> NDArray[np.bool_]:
    """Where a row's token is not that of the row before."""
    changed = np.ones(rows.shape, np.bool_)
    changed[1:] = rows[1:] != rows[:-1]
    return changed


def _gather(masses: Floats, parents: Ints, depths: Ints) -> None:
    """Add the leaves' probabilities up, level by level, in place."""
    for depth in range(int(depths.max()), 0, -1):
        level = np.flatnonzero(depths == depth)
        masses += np.bincount(parents[level], masses[level], len(masses))
