"""Thoughts that a model writes before its answer: cut off, since only the answer is what was asked for, and counted."""

from __future__ import annotations

from typing import Final, NamedTuple

_TAGS: Final = (("<think>", "</think>"), ("<thinking>", "</thinking>"))


class Spoken(NamedTuple):
    """A reply in its two parts."""

    text: str
    """The answer."""
    thought: int
    """Characters of thoughts."""
    finished: bool = True
    """The thoughts ended; False where the whole reply is one that was never closed."""


def spoken(text: str) -> Spoken:
    """A reply without the thoughts at its beginning.

    Thoughts stand in ``<think>`` tags; of some models the first tag is in the prompt, so that a closing one alone ends
    them. Tags further on are the answer's own.
    """
    for opening, closing in _TAGS:
        opened, closed = text.lstrip().startswith(opening), text.find(closing)
        if opened and closed < 0:
            return Spoken("", len(text), finished=False)
        if opened or (closed >= 0 and opening not in text[:closed]):
            end = closed + len(closing)
            answer = text[end:].lstrip()
            return Spoken(answer, end)
    return Spoken(text, 0)
