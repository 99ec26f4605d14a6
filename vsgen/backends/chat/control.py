"""A model's control tokens: found in what others wrote, so that there they are read as text.

A tokenizer takes ``<|im_end|>`` in a mail for the token that ends a turn, and a mail could write turns of its own. So
where a text spells a control token, those of the chat template get names that nobody can guess, and the whole is read
by a tokenizer that knows only these: its ids are those of the model, and what the text spells is text. A prompt whose
texts spell none is read as ever.

Control tokens are all special ones, and of the other added tokens those that the chat template writes, such as
``<think>``. Those of the latter that stand around no turn may be tokens in what the model itself wrote: it wrote them
so, and a template looks for them there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from secrets import token_hex
from typing import Final

from jinja2 import TemplateError as JinjaError

from vsgen.backends.chat.finder import Finder
from vsgen.backends.chat.tokenizer import Tokenizer
from vsgen.errors import CallError

_NAMED: Final = 3
"""Tokens that are named where texts are counted."""
_LEAST: Final = 3
"""Characters of a control token's name; what is shorter is a piece of text, as the "!" that some models pad with."""
_MARK: Final = re.compile(r"[<\[|｜].+[>\]|｜]")
"""What an added token looks like that is not special and steers a chat all the same."""
_SYSTEM, _USER, _ASSISTANT = ({"role": role, "content": "7"} for role in ("system", "user", "assistant"))
_CHATS: Final = ([_USER, _ASSISTANT, _USER], [_SYSTEM, _USER])


class Control:
    """The control tokens of one tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._vocabulary = tokenizer.vocabulary
        self._salt = token_hex(8)  # nobody can write a name that is made here, and no id depends on it
        self._name_begins = f"<|{self._salt}."
        self._texts: set[int] = set()
        self._met: dict[str, None] = {}

    @property
    def names(self) -> Mapping[str, str]:
        """From each control token's name to the one that `marked` gives it."""
        return {token: self._name(i) for token, i in self._tokens.items()}

    @cached_property
    def plain(self) -> Tokenizer:
        """The tokenizer that finds control tokens by the names that `marked` gives them.

        Raises:
            CallError: It is of a kind that cannot be made so.
        """
        return self._tokenizer.renamed(self.names)

    def read(self, marked: Sequence[str], opening: bool) -> list[list[int]]:
        """Token ids of texts in which control tokens have the names that `marked` gives them.

        Args:
            marked: The texts.
            opening: The tokenizer adds its own opening token.

        Raises:
            CallError: The tokenizer takes something else for a control token, or is of a kind that cannot be made so.
        """
        rows = self.plain.encode(marked, opening=opening)
        added = self._added_around if opening else 0
        for text, row in zip(marked, rows, strict=True):
            if sum(token in self._ids for token in row) != text.count(self._name_begins) + added:
                tokens = ", ".join(self._met)
                raise CallError(
                    f"the model's tokenizer cannot read {tokens} in a text as text; remove it from the text"
                )
        return rows

    def spelled(self, text: str, *, own: bool = False) -> bool:
        """Whether a text spells a control token; such texts are counted.

        Args:
            text: What somebody wrote.
            own: The model wrote it, or is taken to have: then what it may write within a reply does not count.
        """
        found = self._finders[own].found(text)
        if found:
            self._texts.add(hash(text))
            self._met.update(dict.fromkeys(found))
        return bool(found)

    def masked(self, text: str, *, own: bool = False) -> str:
        """A text with letters in the place of each control token that it spells; a chat template passes them on."""
        return self._finders[own].replace(text, lambda token: f"{self._salt}x{self._tokens[token]}x")

    def marked(self, rendered: str) -> str:
        """A chat of masked texts with the template's own tokens under other names, and the texts as they were."""
        chat = self._finders[False].replace(rendered, lambda token: self._name(self._tokens[token]))
        return self._with_names(f"{self._salt}x([0-9]+)x", chat)

    def own(self, text: str) -> str:
        """What the model itself wrote, or a reply's beginning: what it may write within one under other names."""
        return self.marked(self.masked(text, own=True))

    def shown(self, marked: str) -> str:
        """The same with the tokens' own names, for people."""
        return self._with_names(rf"{re.escape(self._name_begins)}([0-9]+)\|>", marked)

    def remark(self, model: str) -> str | None:
        """How many texts so far spelled which tokens; None if none did."""
        if not self._texts:
            return None
        texts = "1 text spells" if len(self._texts) == 1 else f"{len(self._texts)} texts spell"
        met = [*list(self._met)[:_NAMED], *(["..."] if len(self._met) > _NAMED else [])]
        return f"{texts} control tokens of {model} ({', '.join(met)}): they are read as text"

    @cached_property
    def _tokens(self) -> dict[str, int]:
        """All control tokens, and the number that stands for each."""
        added = {token.content: i for i, token in self._vocabulary.added.items()}
        known = [name for name, i in added.items() if i in self._vocabulary.special or self._is_mark(name)]
        names = [name for name in known if len(name) >= _LEAST and not name.isspace() and not name.isalnum()]
        return {name: number for number, name in enumerate(names)}

    @cached_property
    def _written(self) -> str:
        """What the chat template may write: itself, since a mark may hang on a condition, and what it wrote."""
        template = self._tokenizer.template
        return f"{template}\0{self._chats(opened=True)}" if template else ""

    def _chats(self, *, opened: bool) -> str:
        """Short conversations as the chat template lays them out, with or without the beginning of a reply."""
        chats = []
        for chat in _CHATS if self._tokenizer.template else ():
            with suppress(JinjaError):  # it refuses such a conversation
                chats.append(self._tokenizer.lay_out(chat, opened=opened))
        return "\0".join(chats)

    @cached_property
    def _finders(self) -> tuple[Finder, Finder]:
        """Of all control tokens, and of those that are special or stand around a turn."""
        turns = self._chats(opened=False)
        special = {self._vocabulary.added[i].content for i in self._vocabulary.special}
        around = [name for name in self._tokens if name in special or name in turns]
        return Finder(list(self._tokens), self._fold), Finder(around, self._fold)

    @cached_property
    def _fold(self) -> Callable[[str], str] | None:
        """What the tokenizer does to a text before it looks for control tokens; mostly nothing."""
        library = self._tokenizer.library
        normalizer = None if library is None else library.normalizer
        looks = any(token.normalized and token.content in self._tokens for token in self._vocabulary.added.values())
        return normalizer.normalize_str if normalizer is not None and looks else None

    def _is_mark(self, name: str) -> bool:
        """Whether an added token that is not special steers a chat: it looks like it, and the template writes it."""
        return _MARK.fullmatch(name) is not None and name in self._written

    def _name(self, number: int) -> str:
        return f"{self._name_begins}{number}|>"

    @cached_property
    def _ids(self) -> frozenset[int]:
        """The control tokens, but for the one that stands for what cannot be written."""
        added, unknown = self._vocabulary.added, self._vocabulary.unknown
        return frozenset(i for i, token in added.items() if token.content in self._tokens and i != unknown)

    @cached_property
    def _added_around(self) -> int:
        """How many control tokens the tokenizer adds to a text."""
        return sum(token in self._ids for token in self._tokenizer.encode(["7"], opening=True)[0])

    def _with_names(self, pattern: str, text: str) -> str:
        """A text with the tokens' own names where a pattern finds their numbers."""
        tokens = list(self._tokens)
        return re.sub(pattern, lambda match: tokens[int(match[1])], text)
