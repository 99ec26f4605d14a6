"""Orders in which a question lists its options: models prefer places, and averaging over places cancels that."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice, repeat
from typing import Literal


def orders(classes: Sequence[str], count: int | Literal["all"]) -> list[tuple[str, ...]]:
    """So many orders; a single one is the user's own.

    Several are rotations of the sorted classes, evenly apart, so that they do not depend on the user's order; with
    ``all``, one for each class, every class stands once in every place. No more than one for each class.
    """
    wanted = len(classes) if count == "all" else min(count, len(classes))
    if wanted == 1:
        return [tuple(classes)]
    base = sorted(classes)
    starts = [i * len(base) // wanted for i in range(wanted)]
    return [(*base[start:], *base[:start]) for start in starts]


def in_turn(listings: Sequence[tuple[str, ...]], replies: int, *, each: int = 1) -> list[tuple[str, ...]]:
    """The order that each of several replies is asked with: the replies take turns with the orders.

    Args:
        listings: The orders.
        replies: Number of replies.
        each: So many replies in a row have the same order.
    """
    return list(islice((order for one in cycle(listings) for order in repeat(one, each)), replies))


def restored(values: Sequence[float], order: Sequence[str], classes: Sequence[str]) -> tuple[float, ...]:
    """Values that belong to an order's classes, in the order of `classes`."""
    of_class = dict(zip(order, values, strict=True))
    return tuple(of_class[name] for name in classes)
