"""From drawn tokens back to text, and where a stop string ends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from vsgen.backends.chat.tokenizer import Tokenizer

_CONTEXT = 8
"""Tokens of context that decide how the next one is spelled (its leading space, the rest of a character)."""
_UNFINISHED = "\ufffd"


T = TypeVar("T", str, tuple[int, ...])


def shared_length(sequences: Sequence[T]) -> int:
    """How many first elements all sequences share."""
    low, high = min(sequences), max(sequences)
    return next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))


class Detokenizer:
    """The text of one reply, token by token.

    A token is spelled after the tokens before it, prompt included: ``decode(context + new)`` without the text of
    ``decode(context)``. So the spaces of SentencePiece pieces and characters of several byte tokens come out right.
    Special tokens have no text.
    """

    def __init__(self, tokenizer: Tokenizer, context: Sequence[int], stops: Sequence[str] = ()) -> None:
        self.text = ""
        self.stopped = False
        """Whether a stop string was met; `text` then ends before it."""
        self._tokenizer = tokenizer
        self._window = list(context[-_CONTEXT:])
        self._spelled = self._decode(self._window).rstrip(_UNFINISHED)
        self._stops = stops
        self._reach = max((len(stop) for stop in stops), default=0)

    def feed(self, tokens: Sequence[int]) -> None:
        """Spell some more tokens; a character whose last bytes are still to come waits for them."""
        self._window.extend(tokens)
        text = self._decode(self._window)
        if not text.endswith(_UNFINISHED) or len(self._window) > 2 * _CONTEXT:
            self._append(text)
            self._window = self._window[-_CONTEXT:]
            self._spelled = self._decode(self._window)

    def finish(self) -> str:
        """The whole text, with what was still waiting."""
        if not self.stopped:
            self._append(self._decode(self._window))
        return self.text

    def _append(self, text: str) -> None:
        new = text[shared_length((text, self._spelled)) :]
        start = max(0, len(self.text) - self._reach + 1)
        self.text += new
        found = [at for stop in self._stops if (at := self.text.find(stop, start)) >= 0]
        if found:
            self.text, self.stopped = self.text[: min(found)], True

    def _decode(self, tokens: list[int]) -> str:
        return self._tokenizer.decode(tokens)
