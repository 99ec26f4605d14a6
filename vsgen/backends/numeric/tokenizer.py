"""The tokenizer of a folder without transformers, as a `vsgen.backends.chat.tokenizer.Tokenizer`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import tokenizers
from jinja2.sandbox import ImmutableSandboxedEnvironment

from vsgen.backends.chat.layout import lay_out
from vsgen.backends.chat.renamed import renamed
from vsgen.backends.chat.tokenizer import Vocabulary

_ROLES: Final = ("bos_token", "eos_token", "unk_token", "pad_token")
"""Special tokens that a configuration names, and a chat template may write."""


@dataclass(frozen=True, slots=True, eq=False)
class PlainTokenizer:
    """A fast tokenizer with a chat template."""

    library: tokenizers.Tokenizer
    roles: Mapping[str, str]
    """Names of special tokens, as a chat template knows them."""
    vocabulary: Vocabulary
    template: str

    @classmethod
    def read(cls, folder: Path) -> PlainTokenizer:
        """Read a tokenizer, its configuration and its chat template."""
        library = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        config = json.loads((folder / "tokenizer_config.json").read_text())
        roles = {role: config[role] for role in _ROLES if config.get(role)}
        named = [*roles.values(), *config.get("extra_special_tokens", [])]
        return cls(library, roles, _vocabulary(library, roles, named), (folder / "chat_template.jinja").read_text())

    def lay_out(self, turns: Sequence[Mapping[str, str]], *, opened: bool = False) -> str:
        """A conversation as one text."""
        return lay_out(self.template, turns, names=self.roles, dialect=_dialect, opened=opened)

    def encode(self, texts: Sequence[str], *, opening: bool) -> list[list[int]]:
        """The tokens of each text."""
        return [one.ids for one in self.library.encode_batch(list(texts), add_special_tokens=opening)]

    def spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Where in a text each of its tokens stands."""
        return self.library.encode(text, add_special_tokens=False).offsets

    def decode(self, tokens: Sequence[int], *, special: bool = False) -> str:
        """The text of tokens."""
        return self.library.decode(list(tokens), skip_special_tokens=not special)

    def renamed(self, names: Mapping[str, str]) -> PlainTokenizer:
        """A copy that finds added tokens by new names only."""
        library = renamed(self.library, names)
        roles = {role: names.get(name, name) for role, name in self.roles.items()}
        vocabulary = replace(self.vocabulary, added=library.get_added_tokens_decoder())
        return replace(self, library=library, roles=roles, vocabulary=vocabulary)


def _vocabulary(library: tokenizers.Tokenizer, roles: Mapping[str, str], named: Iterable[str]) -> Vocabulary:
    begin, end, unknown = (library.token_to_id(roles[role]) if role in roles else None for role in _ROLES[:3])
    added, known = library.get_added_tokens_decoder(), set(map(library.token_to_id, named))
    return Vocabulary(
        size=library.get_vocab_size(with_added_tokens=True),
        begin=begin,
        end=end,
        unknown=unknown,
        added=added,
        special=frozenset(i for i, token in added.items() if token.special or i in known),
    )


def _dialect() -> ImmutableSandboxedEnvironment:
    """Jinja with the white space of transformers."""
    return ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
