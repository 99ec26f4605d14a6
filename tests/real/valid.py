"""The exact probability that the first answer of a reply is a right one: summed over all right answers, not sampled.

The reply is opened as its form opens it, and what must follow an answer (a quote, a line's end, the end of the reply)
is summed over all tokens that begin with it. Right answers count in lower case and with a capital, too. Each is spelled
as the tokenizer spells it: what other spellings would add is missing.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import exp, log
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vsgen.backends.chat.reader import Reader
from vsgen.backends.hf.load import load
from vsgen.backends.hf.tokenizer import HfTokenizer
from vsgen.values import Prompt

_CHUNK = 16


class Shape(NamedTuple):
    """How tokens are drawn."""

    temperature: float
    min_p: float = 0.0

    def probs(self, logits: Tensor) -> Tensor:
        """[..., vocabulary] probabilities, as the package draws: tempered, then cut at min-p."""
        p = torch.softmax(logits / self.temperature, -1)
        if self.min_p:
            p = torch.where(p < self.min_p * p.amax(-1, keepdim=True), 0.0, p)
            p = p / p.sum(-1, keepdim=True)
        return p


class Valid(NamedTuple):
    """One figure."""

    probability: float
    effective: float
    """Effective number of different right answers: exp of the entropy among them."""


@dataclass(frozen=True)
class Exact:
    """An opened model."""

    model: Any
    tokenizer: Any
    reader: Reader
    """How it reads prompts."""

    @classmethod
    def open(cls, source: str) -> Exact:
        """Open a folder or a GGUF file."""
        opened = load(source, device="cpu", dtype="float32")
        tokenizer = HfTokenizer(opened.tokenizer)
        end = tokenizer.vocabulary.end
        return cls(opened.model, opened.tokenizer, Reader(tokenizer, () if end is None else (end,)))

    @cached_property
    def _texts(self) -> list[str]:
        return [self.tokenizer.decode([token]) for token in range(self.model.config.vocab_size)]

    def after(self, beginnings: Sequence[str], *, end: bool = False) -> Tensor:
        """[vocabulary] which tokens begin so; with `end` also those that end a reply."""
        wanted = [any(text.startswith(one) for one in beginnings) for text in self._texts]
        found = torch.tensor(wanted)
        if end:
            found[self.tokenizer.all_special_ids] = True
        return found

    @torch.inference_mode()
    def valid(
        self,
        prompt: Prompt,
        opening: str,
        answers: Sequence[str],
        closing: Tensor,
        shapes: Sequence[Shape],
        *,
        lead: str = "",
    ) -> list[Valid]:
        """P(the next words are one of the answers, after `lead`, and then `closing`), for each shape."""
        text, adds = self.reader.render(prompt)
        ids = self.reader.encode([text + opening], adds)[0]
        spellings = dict.fromkeys(one for a in answers for one in (a, a.lower(), a[:1].upper() + a[1:]))
        rows = {name: self.tokenizer(lead + name, add_special_tokens=False)["input_ids"] for name in spellings}
        start = self.model(torch.tensor([ids]), use_cache=True)
        first, names = start.logits[0, -1], sorted(rows, key=lambda name: len(rows[name]))
        mass: list[dict[str, float]] = [{} for _ in shapes]
        for low in range(0, len(names), _CHUNK):
            part = names[low : low + _CHUNK]
            for name, logits in zip(part, self._logits(start.past_key_values, [rows[n] for n in part]), strict=True):
                for found, shape in zip(mass, shapes, strict=True):
                    p = self._chain(shape, first, logits, rows[name], closing)
                    key = name.casefold()
                    found[key] = found.get(key, 0.0) + p
        return [_summed(found) for found in mass]

    def _logits(self, cache: Any, rows: Sequence[Sequence[int]]) -> Tensor:
        """[rows, length, vocabulary] after each token of the rows, which go on from a cache that stays as it is."""
        longest = max(map(len, rows))
        padded = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
        own = copy.deepcopy(cache)
        own.batch_repeat_interleave(len(rows))
        logits: Tensor = self.model(padded, past_key_values=own).logits
        return logits

    @staticmethod
    def _chain(shape: Shape, first: Tensor, logits: Tensor, row: Sequence[int], closing: Tensor) -> float:
        p = float(shape.probs(first)[row[0]])
        if p == 0:
            return 0.0
        for at, (_, token) in enumerate(pairwise(row)):
            p *= float(shape.probs(logits[at])[token])
        return p * float(shape.probs(logits[len(row) - 1])[closing].sum())


def _summed(mass: dict[str, float]) -> Valid:
    total = sum(mass.values())
    if not total:
        return Valid(0.0, 0.0)
    return Valid(total, exp(-sum(p / total * log(p / total) for p in mass.values() if p > 0)))
