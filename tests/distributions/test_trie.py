"""The trie against brute force: every prefix, every next token, every answer."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.distributions.trie import Trie, plant

END = 9
Answers = list[tuple[tuple[int, ...], float]]
ANSWERS = st.lists(
    st.tuples(st.lists(st.integers(0, 3), max_size=4).map(tuple), st.floats(0.01, 1.0)), min_size=1, max_size=12
)


def shares(answers: Answers) -> tuple[list[tuple[int, ...]], list[float]]:
    total = math.fsum(weight for _, weight in answers)
    return [tokens for tokens, _ in answers], [weight / total for _, weight in answers]


def prefixes(trie: Trie) -> list[tuple[int, ...]]:
    return [tuple(trie.tokens[trie.path(node)].tolist()) for node in range(len(trie.parents))]


def by_force(spelled: Sequence[Sequence[int]], probs: Sequence[float]) -> dict[tuple[int, ...], float]:
    """The probability of every prefix, the end included, by looking at every answer."""
    masses: dict[tuple[int, ...], float] = defaultdict(float)
    for tokens, prob in zip(spelled, probs, strict=True):
        whole = (*tokens, END)
        for length in range(len(whole) + 1):
            masses[whole[:length]] += prob
    return masses


@given(ANSWERS)
def test_every_prefix_has_the_probability_of_the_answers_that_begin_with_it(answers: Answers) -> None:
    spelled, probs = shares(answers)
    trie, truth = plant(spelled, probs, END), by_force(spelled, probs)
    found = dict(zip(prefixes(trie), trie.masses.tolist(), strict=True))
    assert found == pytest.approx(truth, abs=1e-12)
    for node, prefix in enumerate(prefixes(trie)):
        if prefix:
            assert trie.probs[node] == pytest.approx(truth[prefix] / truth[prefix[:-1]], rel=1e-9)


@given(ANSWERS)
def test_next_tokens_sum_to_one_and_an_answer_is_their_product(answers: Answers) -> None:
    spelled, probs = shares(answers)
    trie = plant(spelled, probs, END)
    for node in set(range(len(trie.parents))) - set(trie.leaves.tolist()):
        children = trie.children(node)
        assert math.fsum(trie.probs[children].tolist()) == pytest.approx(1, abs=1e-12)
        assert (np.diff(trie.probs[children]) <= 0).all()
        assert (trie.parents[children] == node).all()
    alike: dict[tuple[int, ...], float] = defaultdict(float)
    for tokens, prob in zip(spelled, probs, strict=True):
        alike[tokens] += prob
    for tokens, leaf in zip(spelled, trie.leaves.tolist(), strict=True):
        assert trie.tokens[trie.path(leaf)].tolist() == [*tokens, END]
        assert math.prod(trie.probs[trie.path(leaf)].tolist()) == pytest.approx(alike[tokens], abs=1e-12)


@given(ANSWERS)
def test_nodes_stand_in_preorder(answers: Answers) -> None:
    trie = plant(*shares(answers), END)
    assert (trie.parents[1:] < np.arange(1, len(trie.parents))).all()
    for node in range(len(trie.parents)):
        below = [at for at in range(len(trie.parents)) if node in [0, *trie.path(at)] or at == node]
        assert below == list(range(node, trie.end_of(node)))


@given(ANSWERS, st.integers(0, 1000))
def test_renaming_the_tokens_renames_the_trie_and_changes_no_probability(answers: Answers, seed: int) -> None:
    spelled, probs = shares(answers)
    names = Random(seed).sample(range(1000), END + 1)
    renamed = plant([[names[token] for token in tokens] for tokens in spelled], probs, names[END])
    plain = plant(spelled, probs, END)
    truth = {
        tuple(names[token] for token in prefix): prob
        for prefix, prob in zip(prefixes(plain), plain.probs.tolist(), strict=True)
    }
    found = dict(zip(prefixes(renamed), renamed.probs.tolist(), strict=True))
    assert found == pytest.approx(truth, abs=1e-12)


@given(ANSWERS)
def test_the_order_of_the_answers_does_not_matter(answers: Answers) -> None:
    spelled, probs = shares(answers)
    one, two = plant(spelled, probs, END), plant(spelled[::-1], probs[::-1], END)
    assert one.tokens.tolist() == two.tokens.tolist() and one.parents.tolist() == two.parents.tolist()
    assert one.probs == pytest.approx(two.probs, abs=1e-12)
    assert one.leaves.tolist() == two.leaves.tolist()[::-1]


def test_an_answer_that_begins_another_ends_where_the_other_goes_on() -> None:
    trie = plant([(1,), (1, 2), ()], [0.5, 0.25, 0.25], END)
    assert trie.tokens.tolist() == [-1, 1, 2, END, END, END]
    assert trie.parents.tolist() == [-1, 0, 1, 2, 1, 0]
    assert trie.probs.tolist() == pytest.approx([1, 0.75, 1 / 3, 1, 2 / 3, 0.25])


def test_answers_of_equal_tokens_are_one_leaf_and_an_impossible_answer_none() -> None:
    trie = plant([(1,), (1,), (2,)], [0.75, 0.25, 0.0], END)
    assert trie.leaves.tolist() == [2, 2, -1]
    assert trie.tokens.tolist() == [-1, 1, END]
    assert trie.masses.tolist() == [1, 1, 1]


def test_probabilities_of_all_sizes_keep_their_digits() -> None:
    probs = [1 - 1e-30 - 1e-200, 1e-30, 1e-200]
    trie = plant([(1, 1), (1, 2), (1, 3)], probs, END)
    assert [math.prod(trie.probs[trie.path(leaf)].tolist()) for leaf in trie.leaves.tolist()] == pytest.approx(
        probs, rel=1e-12
    )


def test_an_answer_with_the_end_inside_is_refused() -> None:
    with pytest.raises(ValueError, match="contains the token that ends a reply, 9"):
        plant([(1, END, 2)], [1.0], END)
