"""Which texts are new: greedy, keep-first, exact and incremental.

A text is compared with everything kept so far and is either kept or is the twin of a kept one. What was dropped is
compared with nothing, so similarity does not chain: of A ~ B ~ C with A and C apart, both A and C are kept.
Two stages: equal keys (`vsgen.dedup.normalize`), then cosine against every kept vector of equal guard signature
(`vsgen.dedup.guards`).
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from vsgen.dedup.guards import signature
from vsgen.dedup.normalize import key
from vsgen.dedup.settings import Dedup
from vsgen.dedup.shelf import Group, Shelf
from vsgen.digests import DigestMap
from vsgen.values import Vector

_NUMBER = 4
"""Bytes of a kept text's number."""


class Twin(NamedTuple):
    """The kept text that another one repeats."""

    name: str
    """The kept text's name."""
    similarity: float
    """Cosine, rounded to 4 decimals; 1.0 in the exact stage."""
    stage: Literal["exact", "semantic"]


class Index:
    """Everything kept so far.

    Similarities are rounded to 4 decimals before they are compared; the most similar kept text is reported, the
    earliest of equals. Neither decisions nor twins depend on how calls are batched, on threads or on the BLAS: matrix
    products only nominate, and what they nominate is measured exactly.
    """

    def __init__(self, settings: Dedup) -> None:
        """An empty index.

        Args:
            settings: The least cosine of a twin, and the guards; the semantic stage compares only texts on which all
                agree.
        """
        self._threshold = settings.threshold
        self._guards = settings.guards
        self._numbers = DigestMap(_NUMBER)
        self._names = _Names()
        self._shelves: dict[tuple[Hashable, ...], Shelf] = {}

    def __len__(self) -> int:
        """How many texts were kept."""
        return len(self._names)

    def seen(self, text: str) -> Twin | None:
        """The kept text with the same key, if any; changes nothing and needs no vector."""
        return self._same(key(text))

    def admit(self, name: str, text: str, vector: Vector | None) -> Twin | None:
        """Keep a text unless it repeats a kept one.

        Args:
            name: by which later duplicates name their twin.
            text: compared by its key, and read by the guards.
            vector: with the same number of components each time; None compares by key only.

        Returns:
            None if the text was kept, else its twin.
        """
        return self.admit_all([name], [text], [vector])[0]

    def admit_all(
        self, names: Sequence[str], texts: Sequence[str], vectors: Sequence[Vector | None]
    ) -> list[Twin | None]:
        """The same as `admit` for each in turn, faster: one matrix product a shelf for them all."""
        places = self._compare(texts, vectors)
        return [self._admit(name, text, places.get(i)) for i, (name, text) in enumerate(zip(names, texts, strict=True))]

    def _compare(self, texts: Sequence[str], vectors: Sequence[Vector | None]) -> Mapping[int, _Place]:
        """Compare those that have a vector with all of the same signature: those kept before, and each other."""
        waiting: dict[tuple[Hashable, ...], list[int]] = {}
        for i, (text, vector) in enumerate(zip(texts, vectors, strict=True)):
            if vector is not None:
                waiting.setdefault(signature(text, self._guards), []).append(i)
        places: dict[int, _Place] = {}
        for signed, mine in waiting.items():
            data = b"".join(one.data for i in mine if (one := vectors[i]) is not None)
            rows = np.frombuffer(data, "<f2").reshape(len(mine), -1).astype("<f4")
            group = Group(self._shelves.setdefault(signed, Shelf()), rows, self._threshold)
            places |= {i: _Place(group, at) for at, i in enumerate(mine)}
        return places

    def _admit(self, name: str, text: str, place: _Place | None) -> Twin | None:
        identity, number = key(text), len(self._names)
        if (same := self._same(identity)) is not None:
            return same
        if place is not None:
            near = place.group.nearest(place.at)
            if near is not None and near.similarity >= self._threshold:
                return Twin(self._names[near.number], near.similarity, "semantic")
            place.group.keep(place.at, number)
        self._numbers[identity] = number.to_bytes(_NUMBER, "little")
        self._names.add(name)
        return None

    def _same(self, identity: bytes) -> Twin | None:
        number = self._numbers.get(identity)
        return None if number is None else Twin(self._names[int.from_bytes(number, "little")], 1.0, "exact")


class _Place(NamedTuple):
    """Where a text is compared: as which one of a group."""

    group: Group
    at: int


class _Names:
    """Names by number, in flat memory."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._ends = array("Q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        return self._text[self._ends[number] : self._ends[number + 1]].decode("utf-8", "surrogatepass")

    def add(self, name: str) -> None:
        self._text += name.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._text))
