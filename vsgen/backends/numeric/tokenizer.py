"""A folder's tokenizer without transformers: what `vsgen.backends.chat` needs of one, over the tokenizers library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer

_SPECIAL = ("bos_token", "eos_token", "unk_token", "pad_token")


class PlainTokenizer:
    """The part of a fast tokenizer of transformers that reading, writing and laying out need; no truncation."""

    is_fast = True

    def __init__(self, folder: Path) -> None:
        """Read tokenizer, its configuration and chat template."""
        config = json.loads((folder / "tokenizer_config.json").read_text())
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._special_tokens_map: dict[str, str] = {key: config[key] for key in _SPECIAL if config.get(key)}
        self._extra_special_tokens: list[str] = config.get("extra_special_tokens", [])
        self.chat_template = (folder / "chat_template.jinja").read_text()

    def __len__(self) -> int:
        return self._tokenizer.get_vocab_size(with_added_tokens=True)

    def __call__(
        self, text: str | Sequence[str], *, add_special_tokens: bool = True, return_offsets_mapping: bool = False
    ) -> dict[str, Any]:
        """Token ids, and with `return_offsets_mapping` where in the text each stands."""
        texts = [text] if isinstance(text, str) else list(text)
        found = self._tokenizer.encode_batch(texts, add_special_tokens=add_special_tokens)
        rows: dict[str, list[Any]] = {"input_ids": [one.ids for one in found]}
        if return_offsets_mapping:
            rows["offset_mapping"] = [one.offsets for one in found]
        return {key: each[0] for key, each in rows.items()} if isinstance(text, str) else rows

    def decode(self, tokens: Sequence[int], *, skip_special_tokens: bool = False, **_: object) -> str:
        """The tokens' text."""
        return self._tokenizer.decode(list(tokens), skip_special_tokens=skip_special_tokens)

    def batch_decode(self, rows: Sequence[Sequence[int]], **how: bool) -> list[str]:
        """The text of each row of tokens."""
        return [self.decode(row, skip_special_tokens=False) for row in rows]

    @property
    def backend_tokenizer(self) -> Tokenizer:
        """The tokenizers library's own."""
        return self._tokenizer

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """Tokens beside the vocabulary's pieces."""
        return self._tokenizer.get_added_tokens_decoder()

    @property
    def special_tokens_map(self) -> dict[str, str]:
        """The names of the special tokens, as a chat template knows them."""
        return self._special_tokens_map

    @property
    def all_special_ids(self) -> list[int]:
        """The special tokens."""
        named = [*self._special_tokens_map.values(), *self._extra_special_tokens]
        return [token for name in named if (token := self._tokenizer.token_to_id(name)) is not None]

    @property
    def bos_token_id(self) -> int | None:
        """What opens a text."""
        return self._id("bos_token")

    @property
    def eos_token_id(self) -> int | None:
        """What ends a reply."""
        return self._id("eos_token")

    @property
    def unk_token_id(self) -> int | None:
        """What stands for what cannot be written."""
        return self._id("unk_token")

    def get_chat_template(self) -> str:
        """The chat template."""
        return self.chat_template

    def get_vocab(self) -> dict[str, int]:
        """From each token's name to its number."""
        return self._tokenizer.get_vocab()

    def _id(self, kind: str) -> int | None:
        name = self._special_tokens_map.get(kind)
        return None if name is None else self._tokenizer.token_to_id(name)
