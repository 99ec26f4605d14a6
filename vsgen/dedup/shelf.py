"""Kept vectors that may be compared with each other, and the nearest of them to each of a group.

Rows lie in blocks that are never moved, so memory has no peak while it grows. They are float32, which products read as
they are, for the first 131,072 kept texts of an index (0.2 GB of 384 components), and float16 for all later ones:
half the memory, and a product with a group of 256 takes 1.3 times as long, of 64 twice. Vectors are float16 where they
come from, so no decision depends on where a row lies.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
_Numbers: TypeAlias = NDArray[np.intp]

_DECIMALS = 4
_SLACK = 2e-3
"""More than these together: the rounding of a similarity, the error of a float32 product, and what rounding to float16
does to the lengths of two vectors (each at most 2^-11)."""
_BLOCK = 2048
"""Rows of a block, at most: its product with a group of 256 is 2 MB, which a processor's cache holds."""
_SINGLE = 1 << 17
"""Kept texts whose rows are float32."""


class Near(NamedTuple):
    """A kept text that is close to another one."""

    similarity: float
    """Cosine, rounded to 4 decimals."""
    number: int
    """The kept text's."""


class Shelf:
    """The kept vectors of one guard signature, in the order of keeping."""

    __slots__ = ("_blocks", "_numbers")

    def __init__(self) -> None:
        """An empty shelf."""
        self._blocks: list[Floats | NDArray[np.float16]] = []
        self._numbers = array("Q")

    def __len__(self) -> int:
        """How many vectors are kept."""
        return len(self._numbers)

    def add(self, row: Floats, number: int) -> None:
        """Keep a vector; the first blocks are as long as all before them, so that a small shelf is small."""
        count = len(self._numbers)
        block, start = _place(count)
        if block == len(self._blocks):
            size = min(max(count, 1), _BLOCK)
            self._blocks.append(np.empty((size, len(row)), "<f4" if number < _SINGLE else "<f2"))
        self._blocks[block][count - start] = row
        self._numbers.append(number)

    def row(self, place: int) -> Floats | NDArray[np.float16]:
        """The vector that was kept as the `place`-th."""
        block, start = _place(place)
        row: Floats | NDArray[np.float16] = self._blocks[block][place - start]
        return row

    def number(self, place: int) -> int:
        """The number of the text that was kept as the `place`-th."""
        return self._numbers[place]

    def blocks(self) -> Iterator[tuple[int, Floats]]:
        """The place of each block's first row, and its rows, which hold until the next block is asked for."""
        single: Floats | None = None
        start = 0
        for block in self._blocks:
            rows = block[: len(self._numbers) - start]
            if rows.dtype == np.float32:
                yield start, rows.view(np.float32)
            else:
                single = np.empty((_BLOCK, rows.shape[1]), "<f4") if single is None else single
                single[: len(rows)] = rows
                yield start, single[: len(rows)]
            start += len(block)


class Group:
    """Texts that come to a shelf together: one product with what is kept, and one among themselves."""

    def __init__(self, shelf: Shelf, queries: Floats, least: float) -> None:
        """Compare them.

        Args:
            shelf: What they are compared with.
            queries: [n, width], their vectors, which have length 1 but for rounding.
            least: The least cosine that matters.
        """
        self._shelf = shelf
        self._queries = queries
        self._before = _nominate(shelf, queries, least - _SLACK)
        self._among = _nominate_among(queries, least - _SLACK)
        self._kept: dict[int, int] = {}

    def nearest(self, i: int) -> Near | None:
        """The kept text that is most similar to the i-th of these, the earliest of equals; None if all are far."""
        near = self._before.of(i) if self._before else []
        if self._among:
            near += [(rough, self._kept[j]) for rough, j in self._among.of(i) if j in self._kept]
        if not near:
            return None
        least = max(near)[0] - 2 * _SLACK
        places = [place for rough, place in near if rough >= least]
        found = cosines(self._queries[i], [self._shelf.row(place) for place in places])
        similarity, place = max(zip(found, (-place for place in places), strict=True))
        return Near(similarity, self._shelf.number(-place))

    def keep(self, i: int, number: int) -> None:
        """Keep the i-th of these."""
        self._kept[i] = len(self._shelf)
        self._shelf.add(self._queries[i], number)


def cosines(one: Floats, others: Sequence[NDArray[np.floating]]) -> list[float]:
    """Rounded cosines, exact but for the last roundings, in whatever order they are summed.

    A component of float16 is a multiple of 2^-24, and so a product of two is one of 2^-48; a float64 holds any sum of
    them up to 32, and those of vectors of length 1 stay below 2. Rounding has made them a little longer or shorter, so
    their lengths are divided out.
    """
    query, rows = one.astype(np.float64), np.stack(others).astype(np.float64)
    lengths = np.sqrt((query @ query) * (rows * rows).sum(axis=1))
    found = np.divide(rows @ query, lengths, out=np.zeros(len(rows)), where=lengths > 0)
    return [round(cosine, _DECIMALS) for cosine in found.tolist()]


class _Nominees:
    """Pairs that are perhaps similar enough: by query, each other row's place and its rough cosine."""

    def __init__(self, queries: _Numbers, places: _Numbers, rough: Floats, count: int) -> None:
        order = np.argsort(queries, kind="stable")
        self._places, self._rough = places[order], rough[order]
        self._bounds: list[int] = np.searchsorted(queries[order], np.arange(count + 1)).tolist()

    def of(self, i: int) -> list[tuple[float, int]]:
        mine = slice(self._bounds[i], self._bounds[i + 1])
        return list(zip(self._rough[mine].tolist(), self._places[mine].tolist(), strict=True))


def _place(count: int) -> tuple[int, int]:
    """The block of a row, and the place of the block's first row: 0, 1, 2, 4, ..., 1024, 2048, 4096, 6144, ..."""
    if count < _BLOCK:
        block = count.bit_length()
        return block, 1 << (block - 1) if block else 0
    return _BLOCK.bit_length() - 1 + count // _BLOCK, count - count % _BLOCK


def _nominate(shelf: Shelf, queries: Floats, least: float) -> _Nominees | None:
    """The kept rows whose rough cosine to a query is not below `least`, if any."""
    found: list[tuple[_Numbers, _Numbers, Floats]] = []
    space = np.empty(len(queries) * min(len(shelf), _BLOCK), "<f4")
    for start, rows in shelf.blocks():
        products = space[: len(queries) * len(rows)].reshape(len(queries), len(rows))
        np.matmul(queries, rows.T, out=products)
        if products.max() >= least:
            some, places = np.nonzero(products >= least)
            found.append((some, places + start, products[some, places]))
    return _joined(found, len(queries))


def _nominate_among(queries: Floats, least: float) -> _Nominees | None:
    """The earlier queries whose rough cosine to a query is not below `least`, if any."""
    if len(queries) == 1:
        return None
    products = np.tril(queries @ queries.T, -1)
    some, places = np.nonzero(products >= least)
    return _joined([(some, places, products[some, places])] if len(some) else [], len(queries))


def _joined(found: Sequence[tuple[_Numbers, _Numbers, Floats]], count: int) -> _Nominees | None:
    if not found:
        return None
    queries, places, rough = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return _Nominees(queries, places, rough, count)
