"""Prompts that were computed ahead of their rows: what several share is computed once.

A prompt that several calls share is computed once as a whole. Of different prompts that begin alike, as those of one
template do, the common beginning (the trunk) is computed once, and each prompt's rest after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from vsgen.backends.chat.detokenizer import shared_length
from vsgen.backends.decoding.forward import Forward, Ids, Stored

_RAGGED = 2
"""A group's longest prompt is at most this many times its shortest, so that little of it is padding."""
_SHORT = 32
"""Prompts up to this length are grouped in any case: there a forward pass costs the same for all."""
_SHARED = 16
"""Prompts that share fewer first tokens are not related; a trunk grows by no fewer."""


class Shelf:
    """Keys and values of prompts that waiting calls need, and the trunks that the latest ones grew from."""

    def __init__(self, network: Forward, tokens: int, trunk_tokens: int) -> None:
        """Set up.

        Args:
            network: Computes.
            tokens: Tokens of a forward pass at most, padding included.
            trunk_tokens: Tokens of all trunks at most.
        """
        self._network = network
        self._tokens = tokens
        self._trunk_tokens = trunk_tokens
        self._stored: dict[Ids, Stored] = {(): ()}
        self._needs: Counter[Ids] = Counter()
        self._trunks: dict[Ids, tuple[Ids, Stored]] = {}
        """From first tokens to the trunk that begins with them, the least recently used first."""

    def need(self, prompt: Ids) -> None:
        """Say that a call will take this prompt once."""
        self._needs[prompt] += 1

    def fill(self, prompts: Iterable[Ids]) -> None:
        """Compute those that are not there: relatives together, in groups of similar length."""
        families: dict[Ids, list[Ids]] = {}
        for prompt in sorted(set(prompts) - self._stored.keys()):
            families.setdefault(prompt[:_SHARED], []).append(prompt)
        strangers = [family[0] for head, family in families.items() if not self._related(head, family)]
        self._grow(strangers, (), ())
        for head, family in families.items():
            if self._related(head, family):
                self._grow(family, *self._trunk(head, family))
            else:
                self._remember(head, family[0], self._network.copied(self._stored[family[0]]))

    def take(self, prompt: Ids) -> Stored:
        """A prompt's keys and values; forgotten when the last call that needs them has taken them."""
        stored = self._stored[prompt]
        self._needs[prompt] -= 1
        if prompt and not self._needs[prompt]:
            del self._stored[prompt], self._needs[prompt]
        return stored

    def _related(self, head: Ids, family: Sequence[Ids]) -> bool:
        return len(head) == _SHARED and (len(family) > 1 or head in self._trunks)

    def _trunk(self, head: Ids, family: Sequence[Ids]) -> tuple[Ids, Stored]:
        """What a family grows from: what is known of its common beginning, made longer where that pays."""
        known, stored = self._trunks.pop(head, ((), ()))
        shared = shared_length([*family, known]) if known else 0
        common = shared_length(family)
        if len(family) > 1 and common - shared >= _SHARED:
            (stored,) = self._network.ahead([family[0][shared:common]], beginning(stored, shared))
            known, shared = family[0][:common], common
        self._remember(head, known, stored)
        return known[:shared], beginning(stored, shared)

    def _remember(self, head: Ids, trunk: Ids, stored: Stored) -> None:
        if len(head) == _SHARED:
            self._trunks[head] = trunk, stored
        while self._trunks and sum(len(ids) for ids, _ in self._trunks.values()) > self._trunk_tokens:
            del self._trunks[next(iter(self._trunks))]

    def _grow(self, prompts: Sequence[Ids], trunk: Ids, stored: Stored) -> None:
        """Compute prompts that all begin with the trunk."""
        rests = {prompt[len(trunk) :]: prompt for prompt in prompts}
        if () in rests:
            self._stored[rests.pop(())] = stored
        for group in groups(rests, self._tokens):
            for rest, found in zip(group, self._network.ahead(group, stored), strict=True):
                self._stored[rests[rest]] = found


def beginning(stored: Stored, length: int) -> Stored:
    """The keys and values of a prompt's first tokens; views, not copies."""
    return [pair and (pair[0][:, :length], pair[1][:, :length]) for pair in stored]


def groups(prompts: Iterable[Ids], tokens: int) -> Iterator[Sequence[Ids]]:
    """Sort by length and cut into groups of at most so many tokens, padding included."""
    group: list[Ids] = []
    for prompt in sorted(prompts, key=lambda prompt: (len(prompt), prompt)):
        longest = max(_SHORT, _RAGGED * len(group[0])) if group else len(prompt)
        if group and ((len(group) + 1) * len(prompt) > tokens or len(prompt) > longest):
            yield group
            group = []
        group.append(prompt)
    if group:
        yield group
