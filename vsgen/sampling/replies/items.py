"""What is read out of a reply: items, and the closed list of flags that tell how each was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

NO_PROBABILITY: Final = "no-probability"
"""A probability was asked for and none is stated."""
IMPOSSIBLE_PROBABILITY: Final = "impossible-probability"
"""What is stated is no probability: negative, above 1, not a number, a word, a bound or a range."""
PERCENT: Final = "percent"
"""The probability was stated in percent; it has been divided by 100."""
OTHER_NUMBER: Final = "other-number"
"""A number of another kind (confidence, score, perplexity ...) is stated; it was not taken for a probability."""
RENAMED: Final = "renamed"
"""A field or the probability stands under another name than the one asked for."""
REPAIRED: Final = "repaired"
"""The syntax was mended, by rules that leave the text inside strings alone."""
TRUNCATED: Final = "truncated"
"""The reply ends too early: this item is whole, but items after it may be lost."""
NO_JSON: Final = "no-json"
"""Read from tags, a list or labelled lines instead of JSON."""
CUT_REPLY: Final = "the reply was cut before a response was complete"
NOT_WHOLE: Final = "this response is not whole in the reply"
NONE_WHOLE: Final = "the reply holds no response that is whole"
UNFINISHED: Final = "the reply ends before its thinking does"
CUT: Final = frozenset({CUT_REPLY, UNFINISHED})
"""Problems of replies that ended before any answer did."""

FLAGS: Final = (
    NO_PROBABILITY,
    IMPOSSIBLE_PROBABILITY,
    PERCENT,
    OTHER_NUMBER,
    RENAMED,
    REPAIRED,
    TRUNCATED,
    NO_JSON,
)
"""All flags, in the order in which an item carries them."""


@dataclass(frozen=True, slots=True)
class Item:
    """One response out of a reply."""

    fields: Mapping[str, object]
    """Those of the asked fields that were found, under the asked names."""
    verbalized: float | None
    """The stated probability, in [0, 1]; None if missing or impossible."""
    flags: tuple[str, ...] = ()
    """What was odd or mended, out of `FLAGS`."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A response that is there and cannot be read whole."""

    raw: str
    """As it stands in the reply."""
    verbalized: float | None
    """The stated probability where that can be read, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """All that was read out of one reply."""

    items: tuple[Item, ...] = ()
    lost: tuple[Lost, ...] = ()
    """What is lost beside them; empty where there are none."""
    reasoning: str | None = None
    problem: str | None = None
    """Why nothing could be read; None exactly if there are items."""

    @property
    def all(self) -> tuple[Item | Lost, ...]:
        """The items, and what is lost beside them."""
        return (*self.items, *self.lost)


class Found(NamedTuple):
    """An item before its number is judged, which takes the other numbers of the reply."""

    fields: dict[str, object]
    stated: object = None
    """What stands where the probability should; None if nothing does."""
    flags: frozenset[str] = frozenset()
    lost: str | None = None
    """How it stands in the reply, where it cannot be read whole; None for an item."""


class Page(NamedTuple):
    """What one way of reading found in a reply."""

    found: list[Found]
    reasoning: str | None = None
    cut: bool = False
    """The reply ended before the form was complete."""
    problem: str | None = None
    """Why nothing was found, where this way of reading knows."""


def holds_item(found: Sequence[Found]) -> bool:
    """Whether any of these is an item, and not only what is lost."""
    return bool(found) and (found[0].lost is None or any(one.lost is None for one in found))
