"""The weights under evaluation, in plain transformers: replies drawn at temperature 1, and exact probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from vsgen.tiny.chat import Turn

_BATCH: Final = 100
_LONGEST: Final = 400
"""Tokens of a reply at most; five long answers take about 150."""


class Subject:
    """A folder's model in single precision, and its tokenizer."""

    def __init__(self, folder: Path, *, seed: int = 0) -> None:
        """Load from `folder`, never from the network."""
        self._tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
        self._model = LlamaForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        self._seed = seed

    def chat(self, turns: Sequence[Turn]) -> str:
        """The conversation as the model reads it, up to where the next reply begins."""
        messages = [{"role": turn.speaker, "content": turn.text} for turn in turns]
        return str(self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    def replies(self, prompts: Sequence[str]) -> list[str]:
        """One reply to each prompt; the same seed gives the same replies."""
        with torch.random.fork_rng():
            torch.default_generator.manual_seed(self._seed)
            starts = range(0, len(prompts), _BATCH)
            return [reply for start in starts for reply in self._batch(prompts[start : start + _BATCH])]

    @torch.no_grad()
    def probs(self, prompt: str, choices: Sequence[str]) -> list[float]:
        """P(the whole reply is this choice | prompt) for each choice."""
        start = self._ids(prompt)
        ends = [[*self._ids(choice), int(self._tokenizer.eos_token_id)] for choice in choices]
        length = len(start) + max(map(len, ends))
        tokens = torch.tensor([(start + end + [0] * length)[:length] for end in ends])
        logp = self._model(input_ids=tokens).logits.double().log_softmax(-1)[:, len(start) - 1 :]
        return [
            math.exp(sum(float(logp[row, i, token]) for i, token in enumerate(end))) for row, end in enumerate(ends)
        ]

    def _batch(self, prompts: Sequence[str]) -> list[str]:
        inputs = self._tokenizer(
            list(prompts), add_special_tokens=False, padding=True, padding_side="left", return_tensors="pt"
        )
        drawn = self._model.generate(  # type: ignore[misc]
            **inputs, do_sample=True, top_k=0, top_p=1.0, max_new_tokens=_LONGEST
        )
        texts = self._tokenizer.batch_decode(drawn[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        return [str(text) for text in texts]

    def _ids(self, text: str) -> list[int]:
        return [int(token) for token in self._tokenizer.encode(text, add_special_tokens=False)]
