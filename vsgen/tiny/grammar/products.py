"""What tickets and reviews are about."""

from __future__ import annotations

from typing import Final

PRODUCTS: Final = (
    "espresso machine", "bike light", "headphones", "air purifier",
    "desk lamp", "electric kettle", "robot vacuum", "smart watch",
)  # fmt: skip


def with_article(noun: str) -> str:
    """The noun after a or an, as English has it."""
    return noun if noun.endswith("phones") else f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
