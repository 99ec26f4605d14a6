"""At which lengths the particles of a sweep are moved."""

from __future__ import annotations


def doublings(stretch: int, limit: int) -> tuple[int, ...]:
    """The lengths below `limit` that are 1, 2, 4, 8, ... stretches: all of them together are below 2 x `limit`."""
    return tuple(stretch << i for i in range(limit.bit_length()) if stretch << i < limit)
