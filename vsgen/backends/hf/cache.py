"""Keys and values of the running rows, in buffers that are written in place."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicCache, DynamicLayer

from vsgen.backends.decoding.capacity import Capacity
from vsgen.backends.decoding.forward import Stored


class Place(Capacity):
    """Where the next tokens of the running rows are written; shared by all layers."""

    def __init__(self, rows: int, tokens: int) -> None:
        super().__init__(rows, tokens)
        self.rows = torch.empty(0, dtype=torch.long)
        self.columns = torch.empty(0, dtype=torch.long)
        self.span = 0
        self.count = 0
        """Rows that are read."""


class _Layer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """One layer's buffers, [rows, heads, columns, dim] each; rows and columns beyond the running ones hold zeros."""

    def __init__(self, place: Place) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._place = place

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        self.keys = _fitted(self.keys, key_states, self._place.capacity)
        self.values = _fitted(self.values, value_states, self._place.capacity)
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        self.lazy_initialization(key_states, value_states)
        assert self.keys is not None and self.values is not None
        place = self._place
        self.keys[place.rows, :, place.columns] = key_states.transpose(1, 2).flatten(0, 1)
        self.values[place.rows, :, place.columns] = value_states.transpose(1, 2).flatten(0, 1)
        return self.keys[: place.count, :, : place.span], self.values[: place.count, :, : place.span]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._place.span, 0

    def get_seq_length(self) -> int:
        return self._place.span

    def get_max_length(self) -> int:
        return -1

    def insert(self, row: int, keys: Tensor, values: Tensor) -> None:
        self.lazy_initialization(keys[None], values[None])
        assert self.keys is not None and self.values is not None
        self.keys[row, :, : keys.shape[1]] = keys
        self.values[row, :, : keys.shape[1]] = values

    def copy(self, row: int, length: int) -> tuple[Tensor, Tensor] | None:
        if self.keys is None or self.values is None:
            return None
        return self.keys[row, :, :length].clone(), self.values[row, :, :length].clone()

    def move(self, source: int, target: int, length: int) -> None:
        for buffer in (self.keys, self.values):
            if buffer is not None:
                buffer[target, :, :length] = buffer[source, :, :length]


class Buffers(Cache):
    """The cache of a running batch: rows 0 to n-1 are running, row i has its own length.

    It holds at most `rows` rows, and `tokens` tokens (rows times columns) unless a single batch needs more.
    """

    def __init__(self, rows: int, tokens: int) -> None:
        self.place = Place(rows, tokens)
        self._rows = torch.empty(0, dtype=torch.long)
        super().__init__(layer_class_to_replicate=partial(_Layer, self.place))  # type: ignore[arg-type]

    def holds(self, rows: int, columns: int) -> bool:
        """Whether there is room for so many rows and columns."""
        return self.place.holds(rows, columns)

    def reserve(self, rows: int, columns: int) -> None:
        """Make room for so many rows and columns, at the next use."""
        self.place.reserve(rows, columns)

    def insert(self, row: int, stored: Stored) -> None:
        """Put a prompt's keys and values into a row; the capacity must have been reserved."""
        while len(self.layers) < len(stored):
            self.layers.append(_Layer(self.place))
        for layer, pair in zip(self._own(), stored, strict=False):
            if pair is not None:
                layer.insert(row, *pair)

    def copy(self, row: int, length: int) -> Stored:
        """A row's first keys and values, out of the way of what is written later."""
        return [layer.copy(row, length) for layer in self._own()]

    def move(self, source: int, target: int, length: int) -> None:
        """Copy a row over another."""
        for layer in self._own():
            layer.move(source, target, length)

    def aim(self, lengths: Tensor, span: int) -> None:
        """The next forward pass writes row i at column ``lengths[i]`` and reads columns 0 to ``span - 1``."""
        rows = self._rows
        if rows.shape != lengths.shape or rows.device != lengths.device:
            rows = self._rows = torch.arange(len(lengths), device=lengths.device)
        self.aim_at(rows, lengths, len(lengths), span)

    def aim_at(self, rows: Tensor, columns: Tensor, count: int, span: int) -> None:
        """The next forward pass writes token i at ``(rows[i], columns[i])`` and reads the first `count` rows."""
        place = self.place
        place.rows, place.columns, place.count, place.span = rows, columns, count, span

    def _own(self) -> list[_Layer]:
        return cast(list[_Layer], self.layers)


def store(cache: DynamicCache, row: int, length: int) -> Stored:
    """One row of a prefetched group, without its padding; views, not copies."""
    layers = cast(list[DynamicLayer], cache.layers)
    return [
        (layer.keys[row, :, :length], layer.values[row, :, :length])
        if layer.keys is not None and layer.values is not None
        else None
        for layer in layers
    ]


def copied(stored: Stored) -> Stored:
    """The same keys and values, out of what else a prefetched group holds."""
    return [pair and (pair[0].clone(), pair[1].clone()) for pair in stored]


def widened(stored: Stored, columns: int) -> Stored:
    """A copy of keys and values, with room for so many tokens; zeros, since masked garbage may be NaN."""
    return [pair and (_wide(pair[0], columns), _wide(pair[1], columns)) for pair in stored]


def shared_by(rows: int, stored: Stored) -> DynamicCache:
    """The cache of so many rows that all begin alike, to be continued."""
    cache = DynamicCache()
    for layer, pair in enumerate(stored):
        if pair is not None and pair[0].shape[1]:
            keys, values = (each.expand(rows, *each.shape) for each in pair)
            cache.update(keys, values, layer)
    return cache


def _wide(each: Tensor, columns: int) -> Tensor:
    wide = each.new_zeros(each.shape[0], columns, each.shape[2])
    kept = min(columns, each.shape[1])
    wide[:, :kept] = each[:, :kept]
    return wide


def _fitted(buffer: Tensor | None, like: Tensor, capacity: tuple[int, int]) -> Tensor:
    """The buffer itself if it has this capacity, else a copy that has; zeros, since masked garbage may be NaN."""
    if buffer is not None and (buffer.shape[0], buffer.shape[2]) == capacity:
        return buffer
    fitted = like.new_zeros(capacity[0], like.shape[1], capacity[1], like.shape[3])
    if buffer is not None:
        rows, columns = min(buffer.shape[0], capacity[0]), min(buffer.shape[2], capacity[1])
        fitted[:rows, :, :columns] = buffer[:rows, :, :columns]
    return fitted
