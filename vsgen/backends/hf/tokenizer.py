"""A tokenizer of transformers as a `vsgen.backends.chat.tokenizer.Tokenizer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import tokenizers
from jinja2 import TemplateRuntimeError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from transformers import PreTrainedTokenizerBase
from transformers.utils import chat_template_utils

from vsgen.backends.chat.layout import lay_out
from vsgen.backends.chat.tokenizer import Vocabulary
from vsgen.backends.hf.renamed import renamed


class HfTokenizer:
    """A tokenizer of transformers, fast or written in Python."""

    def __init__(self, source: PreTrainedTokenizerBase) -> None:
        self.source = source
        """Transformers' own."""

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Its tokens, as they are when first asked for."""
        source: Any = self.source
        added, named = source.added_tokens_decoder, set(source.all_special_ids)
        return Vocabulary(
            size=len(source),
            begin=source.bos_token_id,
            end=source.eos_token_id,
            unknown=source.unk_token_id,
            added=added,
            special=frozenset(i for i, token in added.items() if token.special or i in named),
        )

    @property
    def library(self) -> tokenizers.Tokenizer | None:
        """What a fast one is made of."""
        return getattr(self.source, "backend_tokenizer", None)

    @property
    def template(self) -> str | None:
        """Its chat template, with the control tokens that it is known to write; None without one."""
        template = self.source.chat_template
        if not template:
            return None
        return "\0".join([str(template), *map(str, getattr(self.source, "chat_control_tokens", None) or ())])

    def lay_out(self, turns: Sequence[Mapping[str, str]], *, opened: bool = False) -> str:
        """A conversation as one text; a tokenizer that lays out by rules of its own is left to them."""
        source = self.source
        if type(source).apply_chat_template is not PreTrainedTokenizerBase.apply_chat_template:
            return str(source.apply_chat_template([*map(dict, turns)], tokenize=False, add_generation_prompt=opened))
        try:
            template = str(source.get_chat_template())
        except ValueError as error:  # of several templates none is the default
            raise TemplateRuntimeError(f"{type(error).__name__}: {error}") from error
        return lay_out(template, turns, names=source.special_tokens_map, dialect=_dialect, opened=opened)

    def encode(self, texts: Sequence[str], *, opening: bool) -> list[list[int]]:
        """The tokens of each text."""
        source: Any = self.source
        rows: list[list[int]] = source(list(texts), add_special_tokens=opening)["input_ids"]
        return rows

    def spans(self, text: str) -> Sequence[tuple[int, int]] | None:
        """Where each token stands; None for a tokenizer written in Python."""
        if not self.source.is_fast:
            return None
        source: Any = self.source
        spans: list[tuple[int, int]] = source(text, add_special_tokens=False, return_offsets_mapping=True)[
            "offset_mapping"
        ]
        return spans

    def decode(self, tokens: Sequence[int], *, special: bool = False) -> str:
        """The text of tokens, without transformers' corrections of white space."""
        text = self.source.decode(list(tokens), skip_special_tokens=not special, clean_up_tokenization_spaces=False)
        assert isinstance(text, str)
        return text

    def renamed(self, names: Mapping[str, str]) -> HfTokenizer:
        """A copy that finds added tokens by new names only."""
        return HfTokenizer(renamed(self.source, names))


def _dialect() -> ImmutableSandboxedEnvironment:
    """Jinja with the filters and functions of transformers."""
    made: Any = chat_template_utils
    environment: ImmutableSandboxedEnvironment = made._compile_jinja_template("").environment
    return environment
