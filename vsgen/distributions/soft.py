"""Soft targets for one tokenizer: the whole trie of an answer's tokens, or the distributions along drawn answers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vsgen.distributions.draws import draw
from vsgen.distributions.target import Target
from vsgen.distributions.trie import Trie, plant
from vsgen.errors import InputError
from vsgen.values import Prompt, Taught

PAD_LOGP = -1e9
"""The log-probability of what fills up a position with fewer tokens than others."""


class Tokenizer(Protocol):
    """Says how a model reads prompts and writes answers."""

    @property
    def name(self) -> str:
        """Names it in the rows."""
        ...

    @property
    def end(self) -> int:
        """The token that ends a reply."""
        ...

    def spell(self, prompt: Prompt, answers: Sequence[str]) -> tuple[Sequence[int], Sequence[Sequence[int]]]:
        """The prompt's tokens, and each answer's in its place after them, without the end.

        Where an answer's beginning would change the prompt's last tokens, these count with every answer.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Spelled:
    """A target in the tokens of one tokenizer."""

    prompt: tuple[int, ...]
    trie: Trie

    @property
    def steps(self) -> float:
        """How many tokens an answer has on average, its end included."""
        return float(self.trie.masses[1:].sum())

    @property
    def longest(self) -> int:
        """How many tokens the longest answer has, its end included."""
        return int(self.trie.depths.max())

    @property
    def distinct(self) -> int:
        """How many answers differ in their tokens."""
        return len({leaf for leaf in self.trie.leaves.tolist() if leaf >= 0})


def spell(target: Target, tokenizer: Tokenizer) -> Spelled:
    """Tokenise a target.

    Raises:
        InputError: An answer contains the token that ends a reply.
    """
    prompt, answers = tokenizer.spell(target.prompt, target.values)
    for value, tokens in zip(target.values, answers, strict=True):
        if tokenizer.end in tokens:
            remedy = "take special tokens out of the answers"
            raise InputError(f"{target.id}: answer {value!r} contains the token that ends a reply; {remedy}")
    return Spelled(tuple(prompt), plant(answers, target.probs, tokenizer.end))


def trie_row(spelled: Spelled) -> dict[str, object]:
    """The keys of a row that holds the whole trie; nodes in preorder, the root first with parent and token -1."""
    trie = spelled.trie
    nodes = {"parents": trie.parents.tolist(), "tokens": trie.tokens.tolist(), "probs": trie.probs.tolist()}
    return {"prompt_ids": list(spelled.prompt), "trie": nodes}


def paths(target: Target, spelled: Spelled, seed: int, count: int) -> Iterator[Taught]:
    """Draw answers, each with the exact distribution of every next token along it.

    A position with fewer possible tokens than others is filled up with token 0 at `PAD_LOGP`.
    """
    for value in draw(target, seed, count):
        yield _taught(spelled, int(spelled.trie.leaves[value]))


def _taught(spelled: Spelled, leaf: int) -> Taught:
    trie = spelled.trie
    path = trie.path(leaf)
    choices = [trie.children(node) for node in (0, *path[:-1])]
    width = max(map(len, choices))
    ids = np.zeros((len(path), width), "<u4")
    logps = np.full((len(path), width), PAD_LOGP, "<f4")
    for at, nodes in enumerate(choices):
        ids[at, : len(nodes)] = trie.tokens[nodes]
        logps[at, : len(nodes)] = np.log(trie.probs[nodes])
    return Taught(
        prompt_tokens=spelled.prompt,
        tokens=tuple(trie.tokens[path].tolist()),
        logps=tuple(math.log(prob) for prob in trie.probs[path].tolist()),
        width=width,
        top_ids=ids.tobytes(),
        top_logps=logps.tobytes(),
    )
