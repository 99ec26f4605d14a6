"""What reading prompts and writing replies need of a tokenizer, whichever library reads its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import tokenizers


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tokens of a tokenizer."""

    size: int
    """How many there are."""
    begin: int | None
    """Opens a text."""
    end: int | None
    """Ends a text."""
    unknown: int | None
    """Stands for what cannot be written."""
    added: Mapping[int, tokenizers.AddedToken]
    """Those beside the pieces that text is made of."""
    special: frozenset[int]
    """Those of the added ones that stand for no text, such as those that open and end a turn."""


class Tokenizer(Protocol):
    """Makes tokens of texts, texts of tokens, and one text of a conversation."""

    @property
    def vocabulary(self) -> Vocabulary:
        """Its tokens."""
        ...

    @property
    def library(self) -> tokenizers.Tokenizer | None:
        """The same in the tokenizers library, not to be changed; None for one that is written in Python."""
        ...

    @property
    def template(self) -> str | None:
        """Its chat template, with the names of tokens that this writes without spelling them; None without one."""
        ...

    def lay_out(self, turns: Sequence[Mapping[str, str]], *, opened: bool = False) -> str:
        """A conversation as one text, by the chat template.

        Args:
            turns: The role and the content of each.
            opened: Begin the reply.

        Raises:
            TemplateError: Of Jinja: the template refuses the conversation, is broken, or outgrows the bounds.
        """
        ...

    def encode(self, texts: Sequence[str], *, opening: bool) -> list[list[int]]:
        """The tokens of each text; with `opening` those around it that the tokenizer adds by itself."""
        ...

    def spans(self, text: str) -> Sequence[tuple[int, int]] | None:
        """Where in a text each of its tokens begins and ends, in characters; None where that cannot be known."""
        ...

    def decode(self, tokens: Sequence[int], *, special: bool = False) -> str:
        """The text of tokens; `special` ones have one only if asked for."""
        ...

    def renamed(self, names: Mapping[str, str]) -> Tokenizer:
        """A copy that finds added tokens by new names only; ids stay what they are.

        Args:
            names: From an added token's name to its new one.

        Raises:
            CallError: A tokenizer of this kind cannot be copied so.
        """
        ...
