"""The parts of an opened model that decoding and scoring work with."""

from __future__ import annotations

from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from vsgen.backends.hf.chat import Reader
from vsgen.backends.hf.grammar import Grammars
from vsgen.backends.hf.network import Network


@dataclass(frozen=True, slots=True)
class Parts:
    """One opened model."""

    network: Network
    tokenizer: PreTrainedTokenizerBase
    reader: Reader
    grammars: Grammars
    ends: tuple[int, ...]
    """Tokens that end a reply; the main one first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may run at once."""

    rows: int
    """Replies decoded side by side."""
    tokens: int
    """Tokens in the cache: rows times the longest row."""
    forward: int
    """Tokens of prompts, padding included, in one forward pass."""
