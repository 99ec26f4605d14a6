"""The tree of prompts and choices: what begins alike is there once, and all up to a node's end is below it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from vsgen.backends.decoding.tree import Tree, plant

IDS = st.lists(st.integers(0, 2), max_size=5).map(tuple)


def spelled(tree: Tree, node: int) -> tuple[int, ...]:
    """The tokens from the first one to a node."""
    ids: tuple[int, ...] = ()
    while node >= 0:
        ids, node = (tree.tokens[node], *ids), tree.parents[node]
    return ids


def test_branches_share_what_sequences_share() -> None:
    template = plant([(1, 2), (1, 2, 3), (4,), (), (1, 5)])
    assert template.tokens == (1, 2, 3, 5, 4)
    assert template.parents == (-1, 0, 1, 0, -1)
    assert template.ends == (4, 3, 3, 4, 5)
    assert template.paths == ((0, 1), (0, 1, 2), (4,), (), (0, 3))


@settings(max_examples=40)
@given(st.sets(IDS.filter(len), min_size=1, max_size=6), st.lists(IDS, min_size=1, max_size=4))
def test_a_tree_spells_every_prompt_with_every_branch_and_its_intervals_are_its_descendants(
    prompts: set[tuple[int, ...]], tails: list[tuple[int, ...]]
) -> None:
    tree, template = Tree(), plant(tails)
    for prompt in sorted(prompts):
        root = tree.prompt(prompt)
        first = tree.branches(template)
        assert spelled(tree, root) == prompt
        for tail, path in zip(tails, template.paths, strict=True):
            assert spelled(tree, first + path[-1] if path else root) == (*prompt, *tail)
    tree.close()
    inner = [spelled(tree, node) for node in range(len(tree)) if tree.inner[node]]
    assert sorted(inner) == sorted({prompt[:end] for prompt in prompts for end in range(1, len(prompt) + 1)})
    for node in range(len(tree)):
        assert tree.depths[node] == len(spelled(tree, node)) - 1
        below = {node}
        below |= {each for each in range(len(tree)) if tree.parents[each] in below or below & ancestors(tree, each)}
        assert below == set(range(node, tree.ends[node]))


def ancestors(tree: Tree, node: int) -> set[int]:
    """What stands before a node."""
    found = set[int]()
    while (node := tree.parents[node]) >= 0:
        found.add(node)
    return found
