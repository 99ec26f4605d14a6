"""The weights under evaluation, in plain transformers: replies drawn from them, and exact probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from vsgen.tiny.turns import Turn

_BATCH: Final = 96
_LONGEST: Final = 600
"""Tokens of a reply at most; ten long answers take about 300."""


class Weighted(NamedTuple):
    """A reply drawn from a proposal, and the logarithm of its importance weight, nats."""

    text: str
    logw: float


class Subject:
    """A folder's model in single precision, and its tokenizer."""

    def __init__(self, folder: Path, *, seed: int = 0) -> None:
        """Load from `folder`, never from the network."""
        self._tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
        self._model = LlamaForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        self._seed = seed

    def prompt(self, turns: Sequence[Turn]) -> str:
        """The conversation as the model reads it, up to where the next reply begins."""
        messages = [{"role": turn.speaker, "content": turn.text} for turn in turns]
        return str(self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    def replies(self, prompts: Sequence[str], *, temperature: float = 1.0) -> list[str]:
        """One reply to each prompt, greedy at temperature 0; the same seed gives the same replies."""
        return [reply.text for reply in self._all(prompts, temperature, 1.0)]

    def power(self, prompts: Sequence[str], alpha: float, draws: int) -> list[list[Weighted]]:
        """For each prompt, `draws` replies from temperature 1/alpha, weighted so that they stand for p^alpha / Z.

        With q the token-wise proposal, p^alpha / q is the product over the tokens of sum_v p(v | prefix)^alpha
        (arXiv 2602.10273): normalised weights are exact in the limit of many draws.
        """
        drawn = self._all([prompt for prompt in prompts for _ in range(draws)], 1 / alpha, alpha)
        return [drawn[i : i + draws] for i in range(0, len(drawn), draws)]

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

    def _all(self, prompts: Sequence[str], temperature: float, alpha: float) -> list[Weighted]:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self._seed)
            starts = range(0, len(prompts), _BATCH)
            return [
                reply for start in starts for reply in self._batch(prompts[start : start + _BATCH], temperature, alpha)
            ]

    @torch.no_grad()
    def _batch(self, prompts: Sequence[str], temperature: float, alpha: float) -> list[Weighted]:
        inputs = self._tokenizer(
            list(prompts), add_special_tokens=False, padding=True, padding_side="left", return_tensors="pt"
        )
        shape = {"do_sample": True, "top_k": 0, "top_p": 1.0, "temperature": temperature}
        made: Any = self._model.generate(  # type: ignore[misc]
            **inputs,
            **(shape if temperature else {"do_sample": False}),
            max_new_tokens=_LONGEST,
            output_logits=alpha != 1,
            return_dict_in_generate=True,
        )
        drawn = made.sequences[:, inputs["input_ids"].shape[1] :]
        logw = torch.zeros(len(prompts), dtype=torch.float64)
        live = torch.ones(len(prompts), dtype=torch.bool)
        for step, logits in enumerate(made.logits or ()):
            logz = (alpha * logits.double().log_softmax(-1)).logsumexp(-1)
            logw += torch.where(live, logz, 0.0)
            live &= drawn[:, step] != self._tokenizer.eos_token_id
        texts = self._tokenizer.batch_decode(drawn, skip_special_tokens=True)
        return [Weighted(str(text), float(one)) for text, one in zip(texts, logw, strict=True)]

    def _ids(self, text: str) -> list[int]:
        return [int(token) for token in self._tokenizer.encode(text, add_special_tokens=False)]
