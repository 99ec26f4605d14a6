"""From a prompt to token ids: the chat template if the model has one, plain text otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from jinja2 import TemplateError as JinjaError
from transformers import PreTrainedTokenizerBase

from vsgen.errors import ModelError
from vsgen.values import Message, Prompt


class Reader:
    """Reads prompts for one model."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, ends: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._ends = ends

    def ids(self, prompt: Prompt) -> list[int]:
        """The tokens that a reply continues.

        Messages go through the chat template, opened for the assistant, then `Prompt.prefill`. A model without a
        template reads the messages' contents parted by empty lines, the prefill and the cue; without messages any model
        reads the prefill alone.
        """
        text, opening = self.render(prompt)
        return self.encode([text], opening)[0] or [self.first()]

    def render(self, prompt: Prompt) -> tuple[str, bool]:
        """The prompt as text, and whether the tokenizer has still to add its own opening token."""
        if not prompt.messages:
            return prompt.prefill, True
        if not self._tokenizer.chat_template:
            return "".join(f"{message.content}\n\n" for message in prompt.messages) + prompt.prefill + prompt.cue, True
        try:
            text = self._chat(prompt.messages)
        except JinjaError as error:
            text = self._chat_without_system(prompt.messages, error)
        return text + prompt.prefill, False

    def cued(self, prompt: Prompt) -> bool:
        """Whether the reply is the one line that a cue leads to."""
        return bool(prompt.cue and prompt.messages and not self._tokenizer.chat_template)

    @cached_property
    def line_ends(self) -> tuple[int, ...]:
        """The tokens that begin with the end of a line."""
        spelled = self._tokenizer.batch_decode(
            [[token] for token in range(len(self._tokenizer))], clean_up_tokenization_spaces=False
        )
        return tuple(token for token, text in enumerate(spelled) if text.startswith("\n"))

    def unwritable(self, ids: Sequence[int]) -> bool:
        """Whether some of a text was lost when these tokens were made of it."""
        return self._tokenizer.unk_token_id is not None and self._tokenizer.unk_token_id in ids

    def encode(self, texts: Sequence[str], opening: bool) -> list[list[int]]:
        """Token ids of rendered prompts."""
        rows: list[list[int]] = self._tokenizer(list(texts), add_special_tokens=opening)["input_ids"]
        return [ids[:-1] if opening and len(ids) > 1 and ids[-1] in self._ends else ids for ids in rows]

    def first(self) -> int:
        """The token that an empty prompt consists of: the model's begin-of-text, else its end-of-text."""
        first = self._tokenizer.bos_token_id
        if first is None and self._ends:
            first = self._ends[0]
        if not isinstance(first, int):
            raise ModelError("the prompt is empty and the model has no token to begin with; give it some text")
        return first

    def _chat(self, messages: Sequence[Message]) -> str:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        assert isinstance(text, str)
        return text

    def _chat_without_system(self, messages: Sequence[Message], error: JinjaError) -> str:
        """Some templates refuse the system role; its text then opens the first user message."""
        if len(messages) < 2 or messages[0].role != "system" or messages[1].role != "user":
            raise ModelError(f"the model's chat template refuses the prompt: {error}") from error
        merged = Message("user", f"{messages[0].content}\n\n{messages[1].content}")
        try:
            return self._chat((merged, *messages[2:]))
        except JinjaError as again:
            raise ModelError(f"the model's chat template refuses the prompt: {again}") from again
