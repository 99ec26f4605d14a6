"""The parts of an opened model that decoding and scoring work with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vsgen.backends.chat.reader import Reader
from vsgen.backends.chat.tokenizer import Tokenizer
from vsgen.backends.decoding.forward import Forward
from vsgen.backends.decoding.grammar import Grammars
from vsgen.values import Prompt


@dataclass(frozen=True, slots=True)
class Parts:
    """One opened model."""

    network: Forward
    tokenizer: Tokenizer
    reader: Reader
    grammars: Grammars
    ends: tuple[int, ...]
    """Tokens that end a reply; the main one first."""

    @classmethod
    def of(cls, network: Forward, tokenizer: Tokenizer, ends: Sequence[int]) -> Parts:
        """The parts of a model of these weights and this tokenizer."""
        reader, grammars = Reader(tokenizer, ends), Grammars(tokenizer, network.vocabulary, ends)
        return cls(network, tokenizer, reader, grammars, tuple(ends))

    def closing(self, prompt: Prompt, answers: Sequence[str] = ()) -> tuple[int, ...]:
        """Tokens that end an answer to a prompt.

        They are those that end a reply; after a cue those that end a line; and where the reply was opened for the
        model, so that it may be a sentence, those that end one, unless one of the answers has a period in it.
        """
        if not self.reader.cued(prompt):
            return self.ends
        sentence = prompt.opened and answers and not any("." in answer for answer in answers)
        more = self.reader.sentence_ends if sentence else ()
        return tuple(dict.fromkeys((*self.ends, *self.reader.line_ends, *more)))


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may run at once."""

    rows: int
    """Replies decoded side by side."""
    tokens: int
    """Tokens in the cache: rows times the longest row."""
    forward: int
    """Tokens of prompts, padding included, in one forward pass."""
    tree: int
    """Tokens of a tree of prompts and choices in one forward pass: each of them is compared with every other, so that
    larger passes cost more than they save."""
