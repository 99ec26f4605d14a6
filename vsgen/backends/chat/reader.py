"""From a prompt to token ids: the chat template if the model has one, plain text otherwise.

An answer is tokenised in its place after the prompt, where it may change the prompt's own last tokens. What spells a
control token in a message, a prefill or an answer is read as text (`vsgen.backends.chat.control`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from jinja2 import TemplateError as JinjaError

from vsgen.backends.chat.control import Control
from vsgen.backends.chat.detokenizer import shared_length
from vsgen.backends.chat.tokenizer import Tokenizer
from vsgen.errors import ModelError
from vsgen.values import Message, Prompt

_PROBE = "7"
_REQUEST = "Request:\n"
_ANSWER = "Answer:\n"


class Placed(NamedTuple):
    """A prompt and answers as tokens, each answer in its place, without an end."""

    prompt: tuple[int, ...]
    """What the prompt alone and the prompt with any answer begin with; may be empty if the first token differs."""
    rest: tuple[int, ...]
    """What the prompt alone goes on with: mostly nothing, else the last tokens that an answer changes."""
    answers: tuple[tuple[int, ...], ...]
    """What each answer makes of the rest."""


class _Laid(NamedTuple):
    """A prompt as one text."""

    text: str
    opening: bool
    """The tokenizer has still to add its own opening token."""
    marked: bool
    """Something in it, or an answer after it, spells a control token: the template's own have other names."""


class Reader:
    """Reads prompts for one model."""

    def __init__(self, tokenizer: Tokenizer, ends: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._vocabulary = tokenizer.vocabulary
        self._ends = ends
        self.control = Control(tokenizer)
        """The control tokens, and how many texts spelled one."""

    def ids(self, prompt: Prompt) -> list[int]:
        """The tokens that a reply continues.

        Messages go through the chat template, opened for the assistant, then `Prompt.prefill`. A model without a
        template continues a lone message as it stands; a longer conversation is laid out as requests and answers.
        Without messages any model reads the prefill alone.
        """
        text, opening, marked = self._lay(prompt)
        return self.encode([text], opening, marked=marked)[0] or [self.first()]

    def render(self, prompt: Prompt) -> tuple[str, bool]:
        """The prompt as text, and whether the tokenizer has still to add its own opening token."""
        text, opening, marked = self._lay(prompt)
        return self.control.shown(text) if marked else text, opening

    def takes_system(self) -> bool:
        """Whether the chat template has a place of its own for a system message."""
        if not self._tokenizer.template:
            return False
        system, user = Message("system", "Mark."), Message("user", "Hm?")
        try:
            text = self._chat((system, user))
            return system.content in text and text != self._chat((Message("user", "Mark.\n\nHm?"),))
        except JinjaError:
            return False

    def stops(self, prompt: Prompt) -> tuple[str, ...]:
        """Texts that end a reply because of how the prompt is laid out: a line's end after a cue, the next request."""
        if self.cued(prompt):
            return ("\n",)
        return (f"\n{_REQUEST}",) if len(prompt.messages) > 1 and not self._tokenizer.template else ()

    def cued(self, prompt: Prompt) -> bool:
        """Whether the reply is the one line that a cue leads to."""
        return prompt.opened or bool(prompt.cue and prompt.messages and not self._tokenizer.template)

    def placed(self, prompt: Prompt, answers: Sequence[str]) -> Placed:
        """Tokenise answers in their place; after a cue they begin with a space.

        What stands before the prompt's last special token is not read again for every answer, since text is never
        tokenised across a special token.
        """
        lead = " " if self.cued(prompt) else ""
        answers = [f"{lead}{answer}" for answer in answers]
        text, opening, marked = self._lay(prompt, answers)
        if marked:
            answers = list(map(self.control.own, answers))
        ids = tuple(self.encode([text], opening, marked=marked)[0]) or (self.first(),)
        if not text:
            return Placed(ids, (), tuple(map(tuple, self.encode(answers, False, marked=marked))))
        start, kept = (0, 0) if opening else self._restart(text, ids, marked)
        spelled = [text[start:] + answer for answer in answers]
        rows = (self._joined(spelled, ids[kept], marked) if start else None) or self.encode(
            spelled, opening, marked=marked
        )
        tails = [tuple(row) or ids[kept:] for row in rows]
        shared = shared_length([ids[kept:], *tails])
        return Placed(ids[: kept + shared], ids[kept + shared :], tuple(tail[shared:] for tail in tails))

    @cached_property
    def sentence_ends(self) -> tuple[int, ...]:
        """The tokens that are a period, with blanks or the end of a line behind it."""
        tokens = range(self._vocabulary.size)
        return tuple(token for token in tokens if self._tokenizer.decode([token], special=True).rstrip() == ".")

    @cached_property
    def line_ends(self) -> tuple[int, ...]:
        """The tokens that begin with the end of a line."""
        tokens = range(self._vocabulary.size)
        return tuple(token for token in tokens if self._tokenizer.decode([token], special=True).startswith("\n"))

    def unwritable(self, ids: Sequence[int]) -> bool:
        """Whether some of a text was lost when these tokens were made of it."""
        return self._vocabulary.unknown is not None and self._vocabulary.unknown in ids

    def encode(self, texts: Sequence[str], opening: bool, *, marked: bool = False) -> list[list[int]]:
        """Token ids of rendered prompts, without the end that some tokenizers add with their opening token.

        Args:
            texts: The prompts.
            opening: The tokenizer adds its own opening token.
            marked: Control tokens have the names that `Control.marked` gave them.
        """
        rows = self.control.read(texts, opening) if marked else self._tokenizer.encode(texts, opening=opening)
        return [ids[:-1] for ids in rows] if opening and self._closes else rows

    @cached_property
    def _closes(self) -> bool:
        """Whether the tokenizer ends a text by itself."""
        plain, added = (self._tokenizer.encode([_PROBE], opening=adds)[0] for adds in (False, True))
        return added[-1:] != plain[-1:] and added[-1] in self._ends

    def first(self) -> int:
        """The token that an empty prompt consists of: the model's begin-of-text, else its end-of-text."""
        first = self._vocabulary.begin
        if first is None and self._ends:
            first = self._ends[0]
        if not isinstance(first, int):
            raise ModelError("the prompt is empty and the model has no token to begin with; give it some text")
        return first

    def _restart(self, text: str, ids: Sequence[int], marked: bool) -> tuple[int, int]:
        """Where the last special token of a rendered prompt begins, in the text and in its tokens; 0, 0 without one."""
        at = max((i for i, token in enumerate(ids) if token in self._vocabulary.special), default=0)
        spans = (self.control.plain if marked else self._tokenizer).spans(text) if at else None
        if spans is None:
            return 0, 0
        start = spans[at][0]
        same = self.encode([text[start:]], False, marked=marked)[0] == list(ids[at:])
        return (start, at) if same else (0, 0)

    def _joined(self, texts: Sequence[str], first: int, marked: bool) -> list[list[int]] | None:
        """Texts that begin with the special token `first`, tokenised as one and parted again, which is faster.

        None where that may differ from tokenising each: a special token may take the blanks beside it, or stand inside.
        """
        if any(text[-1:].isspace() for text in texts):
            return None
        ids = self.encode(["".join(texts)], False, marked=marked)[0]
        starts = [i for i, token in enumerate(ids) if token == first]
        if len(starts) != len(texts):
            return None
        return [ids[low:high] for low, high in zip(starts, [*starts[1:], len(ids)], strict=True)]

    def _lay(self, prompt: Prompt, answers: Sequence[str] = ()) -> _Laid:
        """The prompt as one text, to be read alone or with any of the answers right after it."""
        chat = bool(prompt.messages and self._tokenizer.template)
        start = _document(prompt) if prompt.messages and not chat else prompt.prefill
        marked = self._spells(prompt.messages if chat else (), start, answers)
        if not chat:
            return _Laid(self.control.own(start) if marked else start, True, marked)
        if not marked:
            return _Laid(self._conversation(prompt.messages) + prompt.prefill, False, False)
        masked = [replace(one, content=self.control.masked(one.content, own=_own(one))) for one in prompt.messages]
        conversation = self.control.marked(self._conversation(masked))
        return _Laid(conversation + self.control.own(prompt.prefill), False, True)

    def _spells(self, messages: Sequence[Message], start: str, answers: Sequence[str]) -> bool:
        """Whether there is a control token in a message, or in what the reply begins with and an answer."""
        found = [self.control.spelled(message.content, own=_own(message)) for message in messages]
        found.append(self.control.spelled(start, own=True))
        if not found[-1]:
            found += [self.control.spelled(start + answer, own=True) for answer in answers]
        return any(found)

    def _conversation(self, messages: Sequence[Message]) -> str:
        try:
            return self._chat(messages)
        except JinjaError as error:
            return self._chat_without_system(messages, error)

    def _chat(self, messages: Sequence[Message]) -> str:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        return self._tokenizer.lay_out(turns, opened=True)

    def _chat_without_system(self, messages: Sequence[Message], error: JinjaError) -> str:
        """Some templates refuse the system role; its text then opens the first user message."""
        if len(messages) < 2 or messages[0].role != "system" or messages[1].role != "user":
            raise ModelError(f"the model's chat template refuses the prompt: {error}") from error
        merged = Message("user", f"{messages[0].content}\n\n{messages[1].content}")
        try:
            return self._chat((merged, *messages[2:]))
        except JinjaError as again:
            raise ModelError(f"the model's chat template refuses the prompt: {again}") from again


def _own(message: Message) -> bool:
    """Whether the model wrote a message, or is taken to have."""
    return message.role == "assistant"


def _document(prompt: Prompt) -> str:
    """The prompt of a model that only continues text.

    A label's question leads to its cue, a lone message is the beginning of the text itself, and a conversation is a
    document of requests and answers, which measures better than messages between empty lines (docs/words.md).
    """
    if prompt.cue:
        begun = prompt.prefill if prompt.opened else prompt.prefill + prompt.cue
        return "".join(f"{message.content}\n\n" for message in prompt.messages) + begun
    if len(prompt.messages) == 1:
        space = " " if prompt.prefill[:1].strip() else ""  # a template's prefill comes without spaces around it
        return prompt.messages[0].content + space + prompt.prefill
    lead = {"system": "", "user": _REQUEST, "assistant": _ANSWER}
    turns = [f"{lead[message.role]}{message.content}\n\n" for message in prompt.messages]
    return "".join(turns) + _ANSWER + prompt.prefill
