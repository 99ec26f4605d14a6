"""The tree of the tokens of several prompts and their choices: what begins alike is there once.

Nodes stand in the order of a walk that finishes what is below a node before what is beside it. So a node's descendants
are the nodes from itself to its end, and whoever stands between two of them is below the first or has been passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from vsgen.backends.chat.detokenizer import shared_length

Ids: TypeAlias = tuple[int, ...]
Paths: TypeAlias = tuple[tuple[int, ...], ...]
"""Each sequence's nodes, counted from the first node of all of them."""


class Tree:
    """Prompts in ascending order, each followed by what branches off behind it."""

    def __init__(self) -> None:
        """An empty tree."""
        self.tokens: list[int] = []
        self.parents: list[int] = []
        """-1 where there is none."""
        self.depths: list[int] = []
        self.ends: list[int] = []
        """One behind each node's last descendant; right once `close` was called."""
        self.inner: list[bool] = []
        """Whether a node is a prompt's, and not a branch's."""
        self._prompt: Ids = ()
        self._open: list[int] = []
        """The nodes of the newest prompt."""

    def __len__(self) -> int:
        """How many nodes there are."""
        return len(self.tokens)

    def prompt(self, ids: Ids) -> int:
        """Add a prompt, no smaller than those before it; its last token's node."""
        shared = shared_length((self._prompt, ids))
        self._end(shared)
        for token in ids[shared:]:
            self._open.append(self._add(token, self._open[-1] if self._open else -1, inner=True))
        self._prompt = ids
        return self._open[-1]

    def path(self) -> tuple[int, ...]:
        """The nodes of the newest prompt."""
        return tuple(self._open)

    def branches(self, template: Template) -> int:
        """Let branches grow from the newest prompt's last token; their first node."""
        first, root = len(self), self._open[-1]
        for token, parent, end in zip(template.tokens, template.parents, template.ends, strict=True):
            node = self._add(token, root if parent < 0 else first + parent, inner=False)
            self.ends[node] = first + end
        return first

    def close(self) -> None:
        """No prompt and no branch is added any more."""
        self._end(0)

    def _add(self, token: int, parent: int, *, inner: bool) -> int:
        self.tokens.append(token)
        self.parents.append(parent)
        self.depths.append(self.depths[parent] + 1 if parent >= 0 else 0)
        self.ends.append(0)
        self.inner.append(inner)
        return len(self.tokens) - 1

    def _end(self, shared: int) -> None:
        for node in self._open[shared:]:
            self.ends[node] = len(self)
        del self._open[shared:]


class Template(NamedTuple):
    """Branches that may grow from any prompt; nodes are counted from the first one, and -1 is the prompt's last."""

    tokens: Ids
    parents: Ids
    ends: Ids
    paths: Paths
    """The nodes of each sequence that the template was made of."""


def plant(sequences: Sequence[Ids]) -> Template:
    """The branches of some token sequences."""
    tree = Tree()
    paths: dict[Ids, tuple[int, ...]] = {(): ()}
    for sequence in sorted(set(sequences) - {()}):
        tree.prompt(sequence)
        paths[sequence] = tree.path()
    tree.close()
    return Template(
        tuple(tree.tokens), tuple(tree.parents), tuple(tree.ends), tuple(paths[sequence] for sequence in sequences)
    )
