"""BASELINE: the published procedure of power sampling, as its authors' code runs it; written anew for comparison.

Sixteen blocks, ten moves a block, batch of one, alpha = 1 / proposal temperature (facts in arXiv 2510.14901, algorithm
1, and its code). Every proposal starts from the prompt again: no keys and values are kept. Its known faults are kept
too: where a proposal ends early the current suffix is cut to its length in the ratio, proposals are capped at the
current length, and the first block in which a stop token stands ends the run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

import torch

Ids: TypeAlias = list[int]
BLOCKS = 16
STEPS = 10


@dataclass(frozen=True)
class Proposal:
    """Tokens drawn after a prefix, each with log p (temperature 1) and log q (as drawn), nats."""

    tokens: Ids
    logps: list[float]
    logqs: list[float]


Propose: TypeAlias = Callable[[Ids, int], Proposal]
"""From a prefix and a number of tokens to a proposal of at most so many."""


def published(propose: Propose, prompt: Ids, end: int, *, alpha: float, limit: int, rng: Random) -> tuple[Ids, float]:
    """One finished reply and its log p, nats."""
    tokens, logps, logqs = list[int](), list[float](), list[float]()
    for block in range(1, BLOCKS + 1):
        drawn = propose(prompt + tokens, limit * block // BLOCKS - len(tokens))
        tokens, logps, logqs = tokens + drawn.tokens, logps + drawn.logps, logqs + drawn.logqs
        for _ in range(STEPS):
            cut = rng.randrange(len(tokens))
            new = propose(prompt + tokens[:cut], len(tokens) - cut)
            stop = cut + len(new.tokens)
            ratio = alpha * (sum(new.logps) - sum(logps[cut:stop])) + sum(logqs[cut:stop]) - sum(new.logqs)
            if rng.random() < math.exp(min(0.0, ratio)):
                tokens, logps, logqs = tokens[:cut] + new.tokens, logps[:cut] + new.logps, logqs[:cut] + new.logqs
        if end in tokens:
            length = tokens.index(end) + 1
            return tokens[:length], sum(logps[:length])
    return tokens, sum(logps)


class Generating:
    """Proposals by `model.generate`, one at a time; counts the tokens that go through the model."""

    def __init__(self, model: Any, end: int, alpha: float) -> None:
        self._model = model
        self._end = end
        self._alpha = alpha
        self.evaluations = 0

    def __call__(self, prefix: Ids, count: int) -> Proposal:
        out = self._model.generate(
            torch.tensor([prefix]),
            attention_mask=torch.ones(1, len(prefix), dtype=torch.long),
            do_sample=True, temperature=1 / self._alpha, top_k=0, top_p=1.0, max_new_tokens=count,
            eos_token_id=self._end, pad_token_id=self._end,
            return_dict_in_generate=True, output_scores=True, output_logits=True,
        )  # fmt: skip
        tokens: Ids = out.sequences[0, len(prefix) :].tolist()
        self.evaluations += len(prefix) + len(tokens) - 1
        return Proposal(tokens, _chosen(out.logits, tokens), _chosen(out.scores, tokens))


def _chosen(scores: Sequence[Any], tokens: Ids) -> list[float]:
    rows = torch.stack([row[0] for row in scores]).log_softmax(-1)
    found: list[float] = rows[torch.arange(len(tokens)), torch.tensor(tokens)].tolist()
    return found
