"""A tokenizer of transformers some of whose tokens have other names, so that no text spells them by chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from tokenizers import AddedToken
from transformers import PreTrainedTokenizerBase

from vsgen.backends.chat import renamed as library
from vsgen.errors import CallError


def renamed(tokenizer: PreTrainedTokenizerBase, names: Mapping[str, str]) -> PreTrainedTokenizerBase:
    """A copy of a tokenizer that finds added tokens by new names only.

    Args:
        tokenizer: Stays as it is.
        names: From an added token's name to its new one.

    Raises:
        CallError: The tokenizer is of a kind that cannot be copied so.
    """
    own: Any = copy(tokenizer)
    if hasattr(own, "_tokenizer"):
        own._tokenizer = library.renamed(own._tokenizer, names)
    elif hasattr(own, "tokens_trie"):
        _rename_slow(own, tokenizer, names)
    else:
        kind = type(tokenizer).__name__
        raise CallError(f"a text spells a control token, and a tokenizer of the kind {kind} cannot read it as text")
    own._special_tokens_map = {
        key: names.get(str(token), token) if token else token for key, token in own._special_tokens_map.items()
    }
    own._extra_special_tokens = [names.get(str(token), token) for token in own._extra_special_tokens]
    return own  # type: ignore[no-any-return]


def _rename_slow(own: Any, source: Any, names: Mapping[str, str]) -> None:
    """Rename in a tokenizer written in Python; what it makes of plain text is asked of its source."""
    own._added_tokens_decoder = {i: _renamed(token, names) for i, token in source._added_tokens_decoder.items()}
    own._added_tokens_encoder = {token.content: i for i, token in own._added_tokens_decoder.items()}
    own.tokens_trie = type(source.tokens_trie)()
    own._update_trie()
    own._tokenize = _spelling(source, names)
    own._convert_token_to_id = source._convert_token_to_id


def _renamed(token: AddedToken, names: Mapping[str, str]) -> AddedToken:
    return AddedToken(
        names.get(token.content, token.content),
        single_word=token.single_word,
        lstrip=token.lstrip,
        rstrip=token.rstrip,
        normalized=token.normalized,
        special=token.special,
    )


def _spelling(source: Any, names: Mapping[str, str]) -> Callable[..., list[str]]:
    """How a text is cut; a piece that is a token's old name is spelled character by character."""
    unknown = str(source.unk_token)

    def cut(text: str, **options: Any) -> list[str]:
        pieces = source._tokenize(text, **options)
        if names.keys().isdisjoint(pieces):
            return list(pieces)
        return [part for piece in pieces for part in (spelled(piece) if piece in names else [piece])]

    def spelled(piece: str) -> list[str]:
        return [piece] if piece == unknown else [part for sign in piece for part in source._tokenize(sign)]

    return cut
