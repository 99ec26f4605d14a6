"""Tokenizers of a few lines, whose every spelling is plain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vsgen.values import Message, Prompt

PROMPT = Prompt((Message("user", "Which?"),))


@dataclass(frozen=True)
class Characters:
    """Each character is a token; the end comes after the last."""

    alphabet: str
    name: str = "characters"

    @property
    def end(self) -> int:
        return len(self.alphabet)

    def spell(self, prompt: Prompt, answers: Sequence[str]) -> tuple[list[int], list[list[int]]]:
        return [7, 8], [[self.alphabet.index(character) for character in answer] for answer in answers]
