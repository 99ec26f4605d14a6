"""Keys and values of replies that later calls may continue, or continue from a beginning of: power sampling's calls.

A reply's beginnings are found by a running hash over its tokens, compared token by token before they are trusted. A
reply of which every beginning is also one of a later reply is forgotten at once, and the oldest ones are when memory
is short; what is forgotten is computed again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vsgen.backends.decoding.forward import Ids, Stored


@dataclass(slots=True)
class _Kept:
    """One reply's tokens, the prompt's included, with their keys and values."""

    ids: Ids
    stored: Stored
    hashes: list[int]
    """One per beginning that can be asked for."""
    used: int
    """Beginnings that lead here, and not to a later reply."""


class Memory:
    """The latest replies' keys and values, of at most so many tokens in all."""

    def __init__(self, tokens: int) -> None:
        self._tokens = tokens
        self._held = 0
        self._kept: dict[int, _Kept] = {}
        """By number, the least recently used first."""
        self._index: dict[int, int] = {}
        """From the hash of a beginning to the reply that has it."""
        self._numbers = 0

    def __len__(self) -> int:
        """Tokens that are held."""
        return self._held

    def keep(self, ids: Ids, start: int, stored: Stored) -> None:
        """Remember a reply.

        Args:
            ids: Prompt and reply, as far as their keys and values are known.
            start: Length of the shortest beginning that may be asked for.
            stored: Keys and values of `ids`; they must not change any more.
        """
        hashes = list(_hashes(ids, start))
        number = self._numbers = self._numbers + 1
        self._kept[number] = _Kept(ids, stored, hashes, len(hashes))
        self._held += len(ids)
        for each in hashes:
            before = self._index.get(each)
            self._index[each] = number
            if before is not None:
                self._release(before)
        while self._held > self._tokens and self._kept:
            self._forget(next(iter(self._kept)))

    def find(self, ids: Ids, start: int) -> Stored | None:
        """Keys and values of exactly these tokens, a beginning no shorter than `start`; None if they are not there."""
        *_, last = _hashes(ids, start)
        number = self._index.get(last)
        kept = self._kept.pop(number, None) if number is not None else None
        if number is None or kept is None:
            return None
        self._kept[number] = kept
        if kept.ids[: len(ids)] != ids:
            return None
        return [pair and (pair[0][:, : len(ids)], pair[1][:, : len(ids)]) for pair in kept.stored]

    def _release(self, number: int) -> None:
        kept = self._kept[number]
        kept.used -= 1
        if not kept.used:
            self._held -= len(self._kept.pop(number).ids)

    def _forget(self, number: int) -> None:
        kept = self._kept.pop(number)
        self._held -= len(kept.ids)
        for each in kept.hashes:
            if self._index.get(each) == number:
                del self._index[each]


def _hashes(ids: Ids, start: int) -> Iterator[int]:
    """A hash of every beginning from `start` tokens on, the shortest first."""
    reached = hash(ids[:start])
    yield reached
    for token in ids[start:]:
        reached = hash((reached, token))
        yield reached
