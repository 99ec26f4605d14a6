"""Keys and values of tokens that later forward passes look back at, each kept once for all that begin alike.

A token is known by what stands before it, so the tokens form a tree (RadixAttention, arXiv 2312.07104, with one token
a node). Where there is no room for more, those go that were used longest ago: the beginning that all prompts share is
used by every pass and stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from vsgen.backends.decoding.forward import Forward, Stored

START: Final = -1
"""The number of what stands before a first token."""
_STEP: Final = 256
"""Slots are added in multiples of this."""


class Pool:
    """Tokens with their keys and values, in slots; a token has a number that no other ever has."""

    def __init__(self, network: Forward, slots: int) -> None:
        """At most so many tokens, unless `need` says more."""
        self._network = network
        self._most = slots
        self._room = 0
        self._stored: Stored = ()
        self._numbers: dict[tuple[int, int], int] = {}
        """From the number of what stands before, and a token."""
        self._kept: dict[int, tuple[int, tuple[int, int]]] = {}
        """From numbers to slots and keys, the least recently used first."""
        self._next = START + 1

    def __len__(self) -> int:
        """How many tokens are kept."""
        return len(self._kept)

    def need(self, slots: int) -> None:
        """Say how many tokens are needed at once."""
        self._most = max(self._most, slots)

    def find(self, before: int, token: int) -> int | None:
        """The number of a token; None if it is not kept."""
        return self._numbers.get((before, token))

    def use(self, numbers: Iterable[int]) -> None:
        """Say that these are used now, the last of them most of all."""
        for number in numbers:
            self._kept[number] = self._kept.pop(number)

    def take(self, numbers: Sequence[int]) -> Stored:
        """A copy of some tokens' keys and values."""
        slots = [self._kept[number][0] for number in numbers]
        return [pair and (pair[0][:, slots], pair[1][:, slots]) for pair in self._stored] if slots else ()

    def place(self, before: int, token: int) -> int:
        """Keep a token, whose keys and values `put` gives next; its number."""
        key = before, token
        number = self._numbers.get(key)
        if number is not None:
            self.use([number])
            return number
        slot = len(self._kept) if len(self._kept) < self._most else self._forget()
        number, self._next = self._next, self._next + 1
        self._numbers[key] = number
        self._kept[number] = slot, key
        return number

    def put(self, numbers: Sequence[int], stored: Stored, columns: Sequence[int]) -> None:
        """The keys and values of tokens that were placed, from some columns."""
        slots = [self._kept[number][0] for number in numbers]
        if max(slots) >= self._room:
            self._room = min(self._most, -(-2 * (max(slots) + 1) // _STEP) * _STEP)
            self._stored = self._network.widened(self._stored or stored, self._room)
        for room, pair in zip(self._stored, stored, strict=True):
            for buffer, found in zip(room or (), pair or (), strict=True):
                buffer[:, slots] = found[:, columns]

    def _forget(self) -> int:
        """Forget the token that was used longest ago; its slot."""
        number = next(iter(self._kept))
        slot, key = self._kept.pop(number)
        del self._numbers[key]
        return slot
