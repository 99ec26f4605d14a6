"""How a model reads prompts and writes answers: its tokenizer alone, with the chat template that comes with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from jinja2 import TemplateError as JinjaError
from transformers import PreTrainedTokenizerBase

from vsgen.backends.hf import gguf
from vsgen.backends.hf.chat import Reader
from vsgen.backends.hf.folder import check_config
from vsgen.backends.hf.layout import lay_out
from vsgen.backends.hf.load import kept
from vsgen.backends.hf.quiet import offline, quietly
from vsgen.errors import ModelError
from vsgen.values import ModelFacts, Prompt

_HF: Any = transformers
_PROBE = "7"


class Speller:
    """A tokenizer that spells answers in their place after a prompt."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, name: str, parameters: Callable[[], int] | None = None
    ) -> None:
        """Set up.

        Args:
            tokenizer: Of the model.
            name: Its name.
            parameters: Counts the weights that it would have.

        Raises:
            ModelError: No token of it ends a reply.
        """
        end = tokenizer.eos_token_id
        self._tokenizer = tokenizer
        self._reader = Reader(tokenizer, (end,) if isinstance(end, int) else ())
        self._name = name
        self._parameters = parameters
        self._end = self._turn_end()

    @classmethod
    def open(cls, source: str, *, remote_code: bool = False, local: bool = False, name: str | None = None) -> Speller:
        """Open a folder or a GGUF file, offline, or a hub id; with `local` from the cache alone.

        Raises:
            ModelError: There is no tokenizer there, or it cannot be used.
        """
        folder, origin = Path(source), source
        packed = gguf.is_gguf(source)
        at_hand = packed or folder.is_dir()
        options: dict[str, Any] = {"trust_remote_code": remote_code, "local_files_only": local or at_hand}
        if packed:
            options, origin = gguf.options(source), str(folder.parent)
        elif local and not at_hand:
            origin, _ = kept(source)
        if folder.is_dir():
            check_config(folder)
        try:
            with quietly(), offline(wanted=options["local_files_only"]):
                tokenizer = _HF.AutoTokenizer.from_pretrained(origin, **options)
        except Exception as error:  # transformers raises anything on files that are missing or broken
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            remedy = "check the files" if at_hand else "check the id and the network, or give a folder"
            raise ModelError(f"{source}: cannot be opened as a tokenizer: {reason} ({remedy})") from error
        own = folder.stem if packed else folder.resolve().name if at_hand else source
        return cls(tokenizer, name or own, partial(_count, origin, options))

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
        chat = bool(self._tokenizer.chat_template)
        system, embedded = self._reader.takes_system(), self._name == "tiny"
        return ModelFacts(self._parameters(), len(self._tokenizer), None, "", "", chat, system, embedded)

    def spell(self, prompt: Prompt, answers: Sequence[str]) -> tuple[list[int], list[list[int]]]:
        """The prompt's tokens, and each answer's in its place after them, without the end.

        Where an answer's beginning changes the prompt's last tokens, these count with every answer.
        """
        placed = self._reader.placed(prompt, answers)
        return list(placed.prompt), [list(ids) for ids in placed.answers]

    def _turn_end(self) -> int:
        if self._tokenizer.chat_template:
            turns = [{"role": "user", "content": _PROBE}, {"role": "assistant", "content": _PROBE}]
            try:
                text = lay_out(self._tokenizer, turns)
            except JinjaError:  # a template that refuses it says nothing of its end
                text = ""
            after = text.rpartition(_PROBE)[2]
            special = self._reader.control.special
            if ended := [token for token in self._reader.encode([after], False)[0] if token in special]:
                return ended[0]
        end = self._tokenizer.eos_token_id
        if not isinstance(end, int):
            raise ModelError(f"{self._name}: the tokenizer has no token that ends a reply; set its eos_token")
        return end


def _count(origin: str, options: Mapping[str, Any]) -> int:
    """Parameters of the model that a configuration describes; no weights are read."""
    try:
        with quietly(), offline(wanted=options["local_files_only"]), torch.device("meta"):
            config = _HF.AutoConfig.from_pretrained(origin, **options)
            return sum(weights.numel() for weights in _HF.AutoModelForCausalLM.from_config(config).parameters())
    except Exception as error:  # as above
        raise ModelError(f"{origin}: its configuration cannot be read: {error}") from error
