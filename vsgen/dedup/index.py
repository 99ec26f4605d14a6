"""Which texts are new: greedy, keep-first, exact and incremental.

A text is compared with everything kept so far and is either kept or is the twin of a kept one. What was dropped is
compared with nothing, so similarity does not chain: of A ~ B ~ C with A and C apart, both A and C are kept.
Two stages: equal keys (`vsgen.dedup.normalize`), then cosine against every kept vector of equal guard signature
(`vsgen.dedup.guards`).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vsgen.dedup.guards import signature
from vsgen.dedup.normalize import key
from vsgen.errors import OptionError
from vsgen.values import Vector

_Floats: TypeAlias = NDArray[np.float32]
_Numbers: TypeAlias = NDArray[np.intp]

_DECIMALS = 4
_SLACK = 2e-3
"""More than these together: the rounding of a similarity, the error of a float32 product, and what rounding to float16
does to the lengths of two vectors (each at most 2^-11)."""
_BLOCK = 16384
"""Kept rows per matrix product; a batch of 256 against them makes 16 MB of similarities."""


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
    products only nominate, and what they nominate is measured by an exactly rounded sum.
    """

    def __init__(self, threshold: float, *, guards: Sequence[str] = ("numbers", "negation")) -> None:
        """An empty index.

        Args:
            threshold: the least cosine of a twin, above 0 and at most 1.
            guards: names of `vsgen.dedup.guards.GUARDS`; the semantic stage compares only texts on which all agree.

        Raises:
            OptionError: the threshold is out of range or a guard is unknown.
        """
        if not 0 < threshold <= 1:
            raise OptionError(f"dedup.threshold: must be above 0 and at most 1, got {threshold}")
        signature("", guards)
        self._threshold = threshold
        self._guards = tuple(guards)
        self._names: dict[bytes, str] = {}
        self._shelves: dict[tuple[Hashable, ...], _Shelf] = {}

    def __len__(self) -> int:
        """How many texts were kept."""
        return len(self._names)

    def seen(self, text: str) -> Twin | None:
        """The kept text with the same key, if any; changes nothing and needs no vector."""
        name = self._names.get(key(text))
        return None if name is None else Twin(name, 1.0, "exact")

    def admit(self, name: str, text: str, vector: Vector | None) -> Twin | None:
        """Keep a text unless it repeats a kept one.

        Args:
            name: what later twins are told.
            text: compared by its key, and read by the guards.
            vector: of length 1, with the same number of components each time; None compares by key only.

        Returns:
            None if the text was kept, else its twin.
        """
        return self.admit_all([name], [text], [vector])[0]

    def admit_all(
        self, names: Sequence[str], texts: Sequence[str], vectors: Sequence[Vector | None]
    ) -> list[Twin | None]:
        """The same as `admit` for each in turn, faster: one matrix product with what was kept before the call."""
        rows = [None if vector is None else np.frombuffer(vector.data, "<f2").astype("<f4") for vector in vectors]
        shelves = [self._shelf(text) for text in texts]
        nominees = _nominees(shelves, rows, self._threshold)
        return [self._admit(*one) for one in zip(names, texts, rows, shelves, nominees, strict=True)]

    def _shelf(self, text: str) -> _Shelf:
        return self._shelves.setdefault(signature(text, self._guards), _Shelf())

    def _admit(self, name: str, text: str, row: _Floats | None, shelf: _Shelf, nominees: _Nominees) -> Twin | None:
        identity = key(text)
        if (kept := self._names.get(identity)) is not None:
            return Twin(kept, 1.0, "exact")
        if row is not None:
            closest = shelf.closest(row, nominees, self._threshold)
            if closest is not None and closest.similarity >= self._threshold:
                return closest
            shelf.add(name, row)
        self._names[identity] = name
        return None


class _Nominees(NamedTuple):
    """Rows of a shelf that may be similar enough to a query, found before later rows were added."""

    rows: _Numbers
    before: int
    """The shelf's length at that time."""


class _Shelf:
    """The kept vectors of one guard signature, in the order of keeping."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._buffer: _Floats = np.empty((0, 1), "<f4")

    def add(self, name: str, row: _Floats) -> None:
        """Append a row; the buffer doubles when it is full."""
        count = len(self._names)
        if count == len(self._buffer):
            grown = np.empty((max(1, 2 * count), len(row)), "<f4")
            grown[:count] = self._buffer
            self._buffer = grown
        self._buffer[count] = row
        self._names.append(name)

    def nominate(self, queries: _Floats, threshold: float, start: int = 0) -> list[_Nominees]:
        """Per query, the rows from `start` on whose float32 cosine does not rule them out."""
        count = len(self._names)
        found: list[list[_Numbers]] = [[] for _ in queries]
        for low in range(start, count, _BLOCK):
            similar = queries @ self._buffer[low : min(low + _BLOCK, count)].T >= threshold - _SLACK
            for query in np.flatnonzero(similar.any(axis=1)):
                found[query].append(low + np.flatnonzero(similar[query]))
        return [_Nominees(np.concatenate([*some, _NONE]), count) for some in found]

    def closest(self, row: _Floats, nominees: _Nominees, threshold: float) -> Twin | None:
        """The most similar of the nominees and of the rows added since; the earliest of equals."""
        later = self.nominate(row[np.newaxis], threshold, nominees.before)[0]
        numbers = np.concatenate([nominees.rows, later.rows])
        if not len(numbers):
            return None
        rough = self._buffer[numbers] @ row
        near = numbers[rough >= rough.max() - 2 * _SLACK]
        best = max((_cosine(self._buffer[n], row), -int(n)) for n in near)
        return Twin(self._names[-best[1]], best[0], "semantic")


_NONE: _Numbers = np.empty(0, np.intp)


def _nominees(shelves: Sequence[_Shelf], rows: Sequence[_Floats | None], threshold: float) -> list[_Nominees]:
    """Nominees of every query, by one pass per shelf over its queries."""
    nominees = [_Nominees(_NONE, 0) for _ in rows]
    waiting: dict[_Shelf, list[int]] = {}
    for i, (shelf, row) in enumerate(zip(shelves, rows, strict=True)):
        if row is not None:
            waiting.setdefault(shelf, []).append(i)
    for shelf, mine in waiting.items():
        queries = np.stack([row for i in mine if (row := rows[i]) is not None])
        for i, found in zip(mine, shelf.nominate(queries, threshold), strict=True):
            nominees[i] = found
    return nominees


def _cosine(one: _Floats, other: _Floats) -> float:
    """Exact but for the last rounding, in whatever order it is summed.

    A component of float16 is a multiple of 2^-24, and so a product of two is one of 2^-48; a float64 holds any sum of
    them up to 32, and those of vectors of length 1 stay below 2. Rounding has made them a little longer or shorter.
    """
    a, b = one.astype(np.float64), other.astype(np.float64)
    lengths = math.sqrt(float(a @ a) * float(b @ b))
    return round(float(a @ b) / lengths, _DECIMALS) if lengths else 0.0
