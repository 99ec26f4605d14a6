"""Keys and values of the running rows, in buffers that are written in place."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vsgen.backends.decoding.capacity import Capacity
from vsgen.backends.decoding.forward import Stored

Array: TypeAlias = NDArray[np.float64]
_Pair: TypeAlias = tuple[Array, Array]


class Buffers(Capacity):
    """The cache of a running batch, [rows, heads, columns, dim] for each layer's keys and values."""

    def __init__(self, layers: int, heads: int, dim: int, rows: int, tokens: int) -> None:
        """Set up, empty; at most so many rows, and tokens (rows times columns) unless a single batch needs more."""
        super().__init__(rows, tokens)
        self._shape = heads, dim
        empty = np.zeros((0, heads, 0, dim))
        self._layers: list[_Pair] = [(empty, empty)] * layers

    def insert(self, row: int, stored: Stored) -> None:
        """Put a prompt's keys and values into a row; there must be room."""
        self._fit()
        for layer, pair in zip(self._layers, stored, strict=False):
            for buffer, each in zip(layer, pair or (), strict=False):
                buffer[row, :, : each.shape[1]] = each

    def copy(self, row: int, length: int) -> Stored:
        """A row's first keys and values, out of the way of what is written later."""
        return [(keys[row, :, :length].copy(), values[row, :, :length].copy()) for keys, values in self._layers]

    def move(self, source: int, target: int, length: int) -> None:
        """Copy a row over another."""
        for layer in self._layers:
            for buffer in layer:
                buffer[target, :, :length] = buffer[source, :, :length]

    def reserve_for(self, rows: int, span: int) -> None:
        """Make room for a step."""
        self.reserve(rows, span)
        self._fit()

    def write(
        self, layer: int, rows: NDArray[np.int64], columns: NDArray[np.int64], k: Array, v: Array, span: int
    ) -> _Pair:
        """Put token i, [tokens, heads, dim], at ``(rows[i], columns[i])``; what the rows hold up to `span`."""
        keys, values = self._layers[layer]
        keys[rows, :, columns], values[rows, :, columns] = k, v
        count = int(rows[-1]) + 1
        return keys[:count, :, :span], values[:count, :, :span]

    def _fit(self) -> None:
        rows, columns = self.capacity
        if self._layers[0][0].shape[::2] != (rows, columns):
            self._layers = [(self._fitted(keys), self._fitted(values)) for keys, values in self._layers]

    def _fitted(self, buffer: Array) -> Array:
        """A copy of this capacity; zeros, since masked garbage may be NaN."""
        fitted = np.zeros((self.capacity[0], self._shape[0], self.capacity[1], self._shape[1]))
        rows, columns = (min(one, two) for one, two in zip(buffer.shape[::2], self.capacity, strict=True))
        fitted[:rows, :, :columns] = buffer[:rows, :, :columns]
        return fitted
