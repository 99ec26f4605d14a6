"""Names for rows that do not depend on where they stand: what a row holds, and how many rows before it hold the same.

Randomness that is named so stays with a row when lines are inserted, dropped or moved around it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import orjson

_BYTES = 16
"""A million rows share a digest with a probability of 1e-27."""


class Occurrences:
    """Names the rows of one input, in their order; keeps a digest of each different row, not the row."""

    def __init__(self) -> None:
        self._seen: dict[bytes, int] = {}

    def name(self, fields: Mapping[str, object]) -> str:
        """The next row's name: a digest of its fields in any order, and its number among equal rows, from 0.

        Args:
            fields: Values as JSON has them.
        """
        digest = blake2b(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS), digest_size=_BYTES).digest()
        number = self._seen.get(digest, 0)
        self._seen[digest] = number + 1
        return f"{digest.hex()}.{number}"
