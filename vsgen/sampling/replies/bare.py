"""Values of objects without quotes, or with the second one only."""

from __future__ import annotations

from typing import NamedTuple

from vsgen.sampling.replies.patterns import BARE_STOP, END_IN_OBJECT, KEYED, NEXT_KEY


class Bare(NamedTuple):
    """A value without quotes."""

    value: str
    """Empty where none can be told."""
    end: int
    """Where its object goes on."""


def bare_value(text: str, start: int) -> Bare | None:
    """The value that begins at `start`; None if it runs to the end of the reply.

    It ends with the line, at a bracket that was not opened in it, at a comma before the next key, or at the next key
    itself. A quote in it that ends a value, and is the only one, lacks the first of its pair. With another odd number
    of quotes, or a bracket that is left open, nobody can tell.
    """
    depth = quotes = 0
    for stop in BARE_STOP.finditer(text, start):
        at, sign = stop.start(), stop[0]
        if sign == '"':
            if quotes == 0 and at > start and END_IN_OBJECT.match(text, at + 1):
                return Bare(text[start:at].strip(), at + 1)
            if quotes % 2 == 0 and text[at - 1].isspace() and KEYED.match(text, at):
                return Bare(text[start:at].strip(), at)
            quotes += 1
        elif sign in "{[":
            depth += 1
        elif sign in "]}" and depth:
            depth -= 1
        elif sign != "," or NEXT_KEY.match(text, at):
            return Bare("" if quotes % 2 or depth else text[start:at].strip(), at)
    return None
