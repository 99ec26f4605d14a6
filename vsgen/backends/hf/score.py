"""log P(choice | prompt) of whole choices: the prompt once, then all choices as one tree in one forward pass.

A choice is tokenised in its place: its score is log P(tokens of prompt + choice, then the end of the reply) less
log P(tokens of the prompt). Where a choice changes the prompt's own last tokens, the tree starts before them. The end
keeps a choice that begins another from taking its probability; several end tokens count together. After the cue of a
prompt that is plain text a choice begins with a space, and the end of the line counts as its end too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache

from vsgen.backends.hf.chat import Placed, Reader
from vsgen.backends.hf.decode import DIGITS
from vsgen.backends.hf.draw import precise
from vsgen.backends.hf.network import Network
from vsgen.backends.hf.parts import Limits, Parts
from vsgen.backends.hf.prefetch import Ids, groups
from vsgen.backends.hf.tree import Tree, plant
from vsgen.errors import ChoiceError, ModelError, TooLongError
from vsgen.values import Score, Scores

Tails: TypeAlias = tuple[Ids, ...]

_SCORES = 1 << 26
"""Numbers in one forward pass's scores: rows x nodes x vocabulary."""
_NODES = 512
"""Nodes of a tree: every node looks at every other, so larger trees cost more than the forward passes that they save.
Two hundred classes of two or three tokens still are one tree."""


class _Plan(NamedTuple):
    """A call as tokens."""

    prompt: Ids
    """Where the tails part from; its last token is the tree's root."""
    tails: Tails
    """What the prompt itself goes on with, mostly nothing; then each choice's tokens."""
    ends: Ids
    """The tokens that end a choice."""


def score(parts: Parts, limits: Limits, calls: Sequence[Score]) -> list[Scores]:
    """Score all choices of each call, in the order of the calls.

    Raises:
        TooLongError: A prompt with its longest choice does not fit into the model's context.
        ChoiceError: A choice cannot be written with the model's tokens, or two are written alike.
        ModelError: No token ends a reply.
    """
    if not parts.ends:
        raise ModelError("the model has no end-of-text token, which scoring whole choices needs")
    plans = [_plan(parts, call) for call in calls]
    found: dict[_Plan, list[float]] = {}
    for tails, ends in dict.fromkeys((plan.tails, plan.ends) for plan in plans):
        trees = list(_trees(tails, min(_NODES, _SCORES // parts.network.vocabulary)))
        rows = max(1, _SCORES // (parts.network.vocabulary * max(len(tree.tokens) for tree in trees)))
        prompts = {plan.prompt for plan in plans if (plan.tails, plan.ends) == (tails, ends)}
        for group in groups(prompts, limits.forward, rows):
            for prompt, logp in zip(group, _score(parts, group, trees, ends), strict=True):
                found[_Plan(prompt, tails, ends)] = logp
    return [Scores(tuple(round(logp, DIGITS) for logp in found[plan]), len(plan.prompt)) for plan in plans]


def _plan(parts: Parts, call: Score) -> _Plan:
    placed, ends = parts.reader.placed(call.prompt, call.choices), parts.closing(call.prompt)
    _check_length(len(placed.prompt) + max(map(len, placed.answers)), parts.network.context)
    _check_choices(call, placed, ends, parts.reader)
    return _Plan(placed.prompt or (parts.reader.first(),), (placed.rest, *placed.answers), ends)


def _check_length(longest: int, context: int | None) -> None:
    if context is not None and longest > context:
        message = f"prompt and longest choice have {longest} tokens and the model's context only {context}"
        raise TooLongError(f"{message}; shorten the text", tokens=longest, context=context)


def _check_choices(call: Score, placed: Placed, ends: Ids, reader: Reader) -> None:
    seen: dict[Ids, str] = {}
    closing, cued = set(ends), reader.cued(call.prompt)
    own = sum(token in closing for token in placed.rest)
    for choice, tail in zip(call.choices, placed.answers, strict=True):
        if sum(token in closing for token in tail) > own or (cued and "\n" in choice):
            raise ChoiceError(f"{choice!r} contains a token that ends a reply; use other words")
        if reader.unwritable(tail):
            raise ChoiceError(f"the model's tokenizer cannot write {choice!r}; use other words")
        if seen.setdefault(tail, choice) != choice:
            raise ChoiceError(f"the model's tokenizer writes {seen[tail]!r} and {choice!r} alike; use other words")


def _trees(tails: Tails, nodes: int) -> Iterator[Tree]:
    """All tails as one tree, or as several of at most so many nodes, a longer tail alone."""
    batch: list[Ids] = []
    known: set[Ids] = {()}
    for tail in tails:
        path = {tail[:end] for end in range(len(tail) + 1)}
        if batch and len(known) + len(path - known) > nodes:
            yield plant(batch)
            batch, known = [], {()}
        batch.append(tail)
        known |= path
    yield plant(batch)


@torch.inference_mode()
def _score(parts: Parts, prompts: Sequence[Ids], trees: Sequence[Tree], ends: Ids) -> list[list[float]]:
    """Per prompt, the log-probability of every tail but the first, which is what they are conditioned on."""
    network = parts.network
    ahead = [prompt[:-1] for prompt in prompts]
    cache = network.prefetch(ahead) if any(ahead) else DynamicCache()
    sums = []
    for tree in trees:
        scores = network.tree(*_inputs(network, prompts, tree), cache)
        sums.append(_read(scores, tree, ends))
        cache.crop(-len(tree.tokens))
    inner, closed = torch.cat(sums, dim=2)
    result: list[list[float]] = (closed[:, 1:] - inner[:, :1]).tolist()
    return result


def _inputs(network: Network, prompts: Sequence[Ids], tree: Tree) -> tuple[Tensor, Any, Tensor]:
    """Token ids, mask and positions of the tree's nodes after each prompt."""
    device = network.device
    tokens = torch.tensor(tree.tokens, device=device).repeat(len(prompts), 1)
    tokens[:, 0] = torch.tensor([prompt[-1] for prompt in prompts], device=device)
    lengths = torch.tensor([len(prompt) - 1 for prompt in prompts], device=device)[:, None]
    depths = torch.tensor(tree.depths, device=device)
    positions = lengths + depths
    columns = torch.arange(int(lengths.max()), device=device).expand(len(prompts), -1)
    before = (columns < lengths)[:, None].expand(-1, len(depths), -1)
    above = tree.ancestors().to(device).expand(len(prompts), -1, -1)
    keys = torch.cat([columns, positions], dim=1)
    mask = network.mask(torch.cat([before, above], dim=2), positions[:, :, None] - keys[:, None])
    return tokens, mask, positions


def _read(scores: Tensor, tree: Tree, ends: Sequence[int]) -> Tensor:
    """Sum each path's log-probabilities, without and with its end's; [2, rows, paths], float64."""
    scores = precise(scores)
    norm = scores.logsumexp(-1)
    parents = torch.tensor(tree.parents, device=scores.device)
    tokens = torch.tensor(tree.tokens, device=scores.device)
    logp = (scores[:, parents, tokens] - norm[:, parents]).double()
    logp[:, 0] = 0
    close = (scores[:, :, list(ends)].logsumexp(-1) - norm).double()
    inner = torch.stack([logp[:, list(path)].sum(-1) for path in tree.paths], dim=1)
    return torch.stack([inner, inner + close[:, [path[-1] if path else 0 for path in tree.paths]]])
