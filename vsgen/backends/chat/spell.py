"""How a model reads prompts and writes answers: its tokenizer alone, with the chat template that comes with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jinja2 import TemplateError as JinjaError

from vsgen.backends.chat.reader import Reader
from vsgen.backends.chat.tokenizer import Tokenizer
from vsgen.errors import ModelError
from vsgen.values import ModelFacts, Prompt

_PROBE = "7"


class Speller:
    """A tokenizer that spells answers in their place after a prompt."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        name: str,
        parameters: Callable[[], int] | None = None,
        *,
        embedded: bool = False,
    ) -> None:
        """Set up.

        Args:
            tokenizer: Of the model.
            name: Its name.
            parameters: Counts the weights that it would have.
            embedded: It is the embedded model.

        Raises:
            ModelError: No token of it ends a reply.
        """
        end = tokenizer.vocabulary.end
        self._tokenizer = tokenizer
        self._reader = Reader(tokenizer, () if end is None else (end,))
        self._name = name
        self._parameters = parameters
        self._embedded = embedded
        self._end = self._turn_end()

    @property
    def name(self) -> str:
        """The folder's or file's name, or the id."""
        return self._name

    @property
    def end(self) -> int:
        """The token that the chat template puts after the assistant's words; without one the end-of-text token."""
        return self._end

    def render(self, prompt: Prompt) -> str:
        """The prompt as the model reads it: one text, with the marks of its chat template."""
        return self._reader.render(prompt)[0]

    def remarks(self) -> Sequence[str]:
        """How many texts so far spelled its control tokens, which it read as text."""
        remark = self._reader.control.remark(self._name)
        return [remark] if remark else []

    def facts(self) -> ModelFacts | None:
        """What the model is, as far as it can be known without its weights; None if nothing is known of them.

        Raises:
            ModelError: Its configuration cannot be read.
        """
        if self._parameters is None:
            return None
        return ModelFacts(
            parameters=self._parameters(),
            vocabulary=self._tokenizer.vocabulary.size,
            context=None,
            dtype="",
            device="",
            chat=bool(self._tokenizer.template),
            system=self._reader.takes_system(),
            embedded=self._embedded,
        )

    def spell(self, prompt: Prompt, answers: Sequence[str]) -> tuple[list[int], list[list[int]]]:
        """The prompt's tokens, and each answer's in its place after them, without the end.

        Where an answer's beginning changes the prompt's last tokens, these count with every answer.
        """
        placed = self._reader.placed(prompt, answers)
        return list(placed.prompt), [list(ids) for ids in placed.answers]

    def _turn_end(self) -> int:
        if self._tokenizer.template:
            turns = [{"role": "user", "content": _PROBE}, {"role": "assistant", "content": _PROBE}]
            try:
                text = self._tokenizer.lay_out(turns)
            except JinjaError:  # a template that refuses it says nothing of its end
                text = ""
            after = text.rpartition(_PROBE)[2]
            special = self._tokenizer.vocabulary.special
            if ended := [token for token in self._reader.encode([after], False)[0] if token in special]:
                return ended[0]
        end = self._tokenizer.vocabulary.end
        if end is None:
            raise ModelError(f"{self._name}: the tokenizer has no token that ends a reply; set its eos_token")
        return end
