"""What one rendering of a text may spend, and what it has written: `Rendering`.

Nobody counts what is known to be dangerous: whoever makes a value, walks one or goes round a loop pays for it first,
out of one allowance. So time and memory are bounded whatever a template is made of. The coin is a character made: an
element of a list, or a node of the template that is evaluated again, costs `ELEMENT` characters, and reading ten
characters costs one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MAX_STEPS: Final = 10_000
"""Steps of all loops of one rendering."""
MAX_CHARS: Final = 1_000_000
"""Length of one rendered text."""
MAX_WORK: Final = 10_000_000
"""Characters that one rendering makes, what it makes on the way included."""
MAX_BITS: Final = 1_024
"""Of a whole number that is reckoned with."""
ELEMENT: Final = 10
_READ: Final = 10
_SHORT: Final = 100
_LISTS: Final = (list, tuple)


class Rendering:
    """Values by their names, the pieces of text written so far, and what is left of the allowances."""

    __slots__ = ("_chars", "_steps", "_work", "pieces", "values")

    def __init__(self, values: Mapping[str, object]) -> None:
        """Set up; `values` are copied."""
        self.values = dict(values)
        self.pieces: list[str] = []
        self._chars = MAX_CHARS
        self._steps = MAX_STEPS
        self._work = MAX_WORK

    def write(self, text: str) -> None:
        """Add a piece to the rendered text."""
        self._chars -= len(text)
        if self._chars < 0:
            raise OverflowError(f"more than {MAX_CHARS:,} characters; cut texts with truncate")
        self.pieces.append(text)

    def step(self, nodes: int) -> None:
        """Go round a loop once, whose body has so many nodes."""
        self._steps -= 1
        if self._steps < 0:
            raise OverflowError(f"more than {MAX_STEPS:,} loop steps; loop over less, say items[:100]")
        self.spend(nodes * ELEMENT)

    def spend(self, work: int) -> None:
        """Pay for what will be done.

        Raises:
            OverflowError: The allowance does not suffice.
        """
        self._work -= work
        if self._work < 0:
            raise OverflowError(
                f"more work than making {MAX_WORK:,} characters; loop over less, or cut texts with truncate"
            )

    def weigh(self, value: object) -> int:
        """Pay for walking through a value, parts that it holds twice twice, and say what that was."""
        weight = _weight(value, self._work)
        self.spend(weight)
        return weight

    def read(self, *values: object) -> None:
        """Pay for comparing values; texts are compared quickly."""
        for value in values:
            if isinstance(value, str):
                self.spend(len(value) // _READ)
            else:
                self.weigh(value)

    def search(self, word: str, text: str) -> None:
        """Pay for looking for a word in a text: at worst, Python compares much of a short word at every place."""
        self.spend(len(text) * (_READ + min(len(word), _SHORT)) // _READ**2)

    def text(self, value: object) -> str:
        """A value as Python writes it, paid for."""
        return self.made(str(value))

    def made(self, text: str) -> str:
        """Pay for a text, whose size what it was made of has bounded: whoever made that has paid for it."""
        self.spend(len(text))
        return text


def whole(number: int) -> int:
    """A whole number that one can go on with.

    Raises:
        OverflowError: It is too large.
    """
    if number.bit_length() > MAX_BITS:
        raise OverflowError(f"a whole number of more than {MAX_BITS:,} bits, got {number.bit_length():,}")
    return number


def _weight(value: object, most: int) -> int:
    """Of a value written out, as far as `most`: the same list held twice counts twice, as whoever walks it meets it."""
    if isinstance(value, str):
        return len(value)
    total, left = 0, [value]
    while left and total <= most:
        each = left.pop()
        total += ELEMENT
        if isinstance(each, str):
            total += len(each)
        elif isinstance(each, int):
            total += each.bit_length() // 3
        elif isinstance(each, _LISTS):
            left += each
        elif isinstance(each, Mapping):
            left += each
            left += each.values()
        elif isinstance(each, range):
            total += len(each) * ELEMENT
    return total
