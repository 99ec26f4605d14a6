"""Prompts that were computed ahead of their rows: a prompt that several calls share is computed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from vsgen.backends.hf.cache import Stored, store
from vsgen.backends.hf.network import Network

Ids: TypeAlias = tuple[int, ...]

_RAGGED = 2
"""A group's longest prompt is at most this many times its shortest, so that little of it is padding."""
_SHORT = 32
"""Prompts up to this length are grouped in any case: there a forward pass costs the same for all."""


class Shelf:
    """Keys and values of prompts that waiting calls need."""

    def __init__(self, network: Network, tokens: int) -> None:
        self._network = network
        self._tokens = tokens
        self._stored: dict[Ids, Stored] = {(): ()}
        self._needs: Counter[Ids] = Counter()

    def need(self, prompt: Ids) -> None:
        """Say that a call will take this prompt once."""
        self._needs[prompt] += 1

    def fill(self, prompts: Iterable[Ids]) -> None:
        """Compute those that are not there, in groups of similar length."""
        for group in groups(set(prompts) - self._stored.keys(), self._tokens):
            cache = self._network.prefetch(group)
            for row, prompt in enumerate(group):
                self._stored[prompt] = store(cache, row, len(prompt))

    def take(self, prompt: Ids) -> Stored:
        """A prompt's keys and values; forgotten when the last call that needs them has taken them."""
        stored = self._stored[prompt]
        self._needs[prompt] -= 1
        if prompt and not self._needs[prompt]:
            del self._stored[prompt], self._needs[prompt]
        return stored


def groups(prompts: Iterable[Ids], tokens: int, rows: int | None = None) -> Iterator[Sequence[Ids]]:
    """Sort by length and cut into groups of at most so many prompts and tokens, padding included."""
    group: list[Ids] = []
    for prompt in sorted(prompts, key=lambda prompt: (len(prompt), prompt)):
        longest = max(_SHORT, _RAGGED * len(group[0])) if group else len(prompt)
        full = len(group) == rows or (len(group) + 1) * len(prompt) > tokens
        if group and (full or len(prompt) > longest):
            yield group
            group = []
        group.append(prompt)
    if group:
        yield group
