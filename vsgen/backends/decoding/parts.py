"""The parts of an opened model that decoding and scoring work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsgen.backends.chat.reader import Reader
from vsgen.backends.decoding.forward import Forward
from vsgen.backends.decoding.grammar import Grammars
from vsgen.values import Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Parts:
    """One opened model."""

    network: Forward
    tokenizer: PreTrainedTokenizerBase
    reader: Reader
    grammars: Grammars
    ends: tuple[int, ...]
    """Tokens that end a reply; the main one first."""

    def closing(self, prompt: Prompt) -> tuple[int, ...]:
        """Tokens that end an answer to a prompt: those that end a reply, and after a cue those that end a line."""
        if not self.reader.cued(prompt):
            return self.ends
        return tuple(dict.fromkeys((*self.ends, *self.reader.line_ends)))


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may run at once."""

    rows: int
    """Replies decoded side by side."""
    tokens: int
    """Tokens in the cache: rows times the longest row."""
    forward: int
    """Tokens of prompts, padding included, in one forward pass."""
