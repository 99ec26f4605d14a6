"""Next-token distributions along a given answer: teacher forcing, one forward pass over prompt and answer.

The answer is tokenised in its place after the prompt; where it changes the prompt's own last tokens, it begins with
them. Then comes the end of the reply: of several tokens that end one, the likeliest there. Calls of similar length run
side by side, a prompt that several share is computed once, and long answers go through in parts, so that the scores at
hand never are more than a fixed number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache

from vsgen.backends.hf.decode import DIGITS
from vsgen.backends.hf.draw import precise
from vsgen.backends.hf.network import Network
from vsgen.backends.hf.parts import Limits, Parts
from vsgen.backends.hf.prefetch import Ids
from vsgen.errors import ModelError, TooLongError
from vsgen.values import Taught, Teach

_SCORES = 1 << 26
"""Numbers in one forward pass's scores: rows x positions x vocabulary."""
_PADDING = 2
"""A batch has at most this many times the tokens of its rows."""
_SHORT = 32
"""Rows up to this length share a batch in any case: there a forward pass costs the same for all."""


class _Plan(NamedTuple):
    """A call as tokens."""

    prompt: Ids
    answer: Ids
    ends: Ids
    """What may end the reply."""
    top: int

    @property
    def size(self) -> int:
        """Tokens of a forward pass."""
        return len(self.prompt) + len(self.answer)


class _Step(NamedTuple):
    """What is read from some positions' scores, [rows, positions] and [rows, positions, k]; nats."""

    logps: Tensor
    ends: Tensor
    end_logps: Tensor
    top_ids: Tensor
    top_logps: Tensor


_Found: TypeAlias = dict[_Plan, Taught]


def teach(parts: Parts, limits: Limits, calls: Sequence[Teach]) -> list[Taught]:
    """The distributions along each call's answer, in the order of the calls.

    Raises:
        TooLongError: A prompt with its answer does not fit into the model's context.
        ModelError: No token ends a reply.
    """
    if not parts.ends:
        raise ModelError("the model has no end-of-text token, which teaching whole answers needs; use a chat model")
    plans = [_plan(parts, call) for call in calls]
    found: _Found = {}
    for batch in _batches(dict.fromkeys(plans), limits, parts.network.vocabulary):
        found.update(zip(batch, _teach(parts.network, batch), strict=True))
    return [found[plan] for plan in plans]


def _plan(parts: Parts, call: Teach) -> _Plan:
    prompt, _, (answer,) = parts.reader.placed(call.prompt, (call.answer,))
    size, context = len(prompt) + len(answer), parts.network.context
    if context is not None and size > context:
        message = f"prompt and answer have {size} tokens and the model's context only {context}"
        raise TooLongError(f"{message}; shorten the template or the row", tokens=size, context=context)
    top = min(call.top, parts.network.vocabulary)
    return _Plan(prompt or (parts.reader.first(),), answer, parts.closing(call.prompt), top)


def _batches(plans: Iterable[_Plan], limits: Limits, vocabulary: int) -> Iterator[list[_Plan]]:
    """Plans of equal ends and top and of similar length; padding, positions and scores are bounded."""
    batch: list[_Plan] = []
    for plan in sorted(plans, key=lambda plan: (plan.top, plan.ends, plan.size, plan)):
        if batch and not _fits([*batch, plan], limits.forward, _SCORES // vocabulary):
            yield batch
            batch = []
        batch.append(plan)
    if batch:
        yield batch


def _fits(batch: Sequence[_Plan], forward: int, scores: int) -> bool:
    answer = max(len(plan.answer) for plan in batch) + 1
    wide = max(len(plan.prompt) for plan in batch) + answer
    padded, real = len(batch) * wide, sum(plan.size for plan in batch)
    alike = len({(plan.top, plan.ends) for plan in batch}) == 1
    small = padded <= forward and len(batch) * answer <= scores
    return alike and small and (wide <= _SHORT or padded <= _PADDING * real)


@torch.inference_mode()
def _teach(network: Network, plans: Sequence[_Plan]) -> list[Taught]:
    positions = max(len(plan.answer) for plan in plans) + 1
    stride = max(1, _SCORES // network.vocabulary // len(plans))
    cache = _prefetch(network, plans)
    fed = torch.tensor([_padded((plan.prompt[-1], *plan.answer), positions) for plan in plans], device=network.device)
    lengths = torch.tensor([len(plan.prompt) - 1 for plan in plans], device=network.device)
    steps = []
    for start in range(0, positions, stride):
        nodes = range(start, min(start + stride, positions))
        scores = network.tree(*_inputs(network, fed, lengths, nodes), cache)
        steps.append(_read(precise(scores), fed[:, start + 1 : nodes.stop + 1], plans[0]))
    whole = _Step(*(torch.cat(parts, dim=1).cpu() for parts in zip(*steps, strict=True)))
    return [_taught(plan, row, whole) for row, plan in enumerate(plans)]


def _prefetch(network: Network, plans: Sequence[_Plan]) -> DynamicCache:
    """Keys and values of all but the last token of each prompt; equal ones are computed once."""
    ahead = {plan.prompt[:-1]: None for plan in plans}
    if not any(ahead):
        return DynamicCache()
    cache = network.prefetch(list(ahead))
    if len(ahead) < len(plans):
        row = {prompt: row for row, prompt in enumerate(ahead)}
        cache.batch_select_indices(torch.tensor([row[plan.prompt[:-1]] for plan in plans], device=network.device))
    return cache


def _inputs(network: Network, fed: Tensor, lengths: Tensor, nodes: range) -> tuple[Tensor, Tensor, Tensor]:
    """Token ids, mask and positions of some of the answers' nodes; those before them are in the cache."""
    device = network.device
    columns = torch.arange(int(lengths.max()), device=device).expand(len(fed), -1)
    places = torch.arange(nodes.stop, device=device)
    queries = places[nodes.start :]
    before = (columns < lengths[:, None])[:, None].expand(-1, len(nodes), -1)
    above = (places <= queries[:, None]).expand(len(fed), -1, -1)
    positions = lengths[:, None] + queries
    keys = torch.cat([columns, lengths[:, None] + places], dim=1)
    mask = network.mask(torch.cat([before, above], dim=2), positions[:, :, None] - keys[:, None])
    return fed[:, nodes.start : nodes.stop], mask, positions


def _read(scores: Tensor, following: Tensor, plan: _Plan) -> _Step:
    """Log-probabilities of what follows, of the likeliest end, and of the top tokens."""
    norm = scores.logsumexp(-1, keepdim=True)
    missing = scores.shape[1] - following.shape[1]
    chosen = scores.gather(-1, torch.nn.functional.pad(following.to(scores.device), (0, missing))[..., None])
    ends = torch.tensor(plan.ends, device=scores.device)
    best, at = scores[..., ends].max(-1, keepdim=True)
    ids = _top(scores, plan.top)
    return _Step(
        (chosen - norm)[..., 0].double(),
        ends[at[..., 0]],
        (best - norm)[..., 0].double(),
        ids.int(),
        (scores.gather(-1, ids) - norm).float(),
    )


def _top(scores: Tensor, k: int) -> Tensor:
    """Ids of the k highest scores, the highest first; of equal scores the lowest ids, and these in order."""
    values, ids = scores.topk(min(k + 1, scores.shape[-1]))
    if values.shape[-1] > k:
        tied = values[..., k] == values[..., k - 1]
        ids = ids[..., :k].contiguous()
        if bool(tied.any()):
            ids[tied] = _lowest(scores[tied], values[tied][:, k - 1 : k], k)
    ids = ids.sort(-1).values
    order = scores.gather(-1, ids).sort(dim=-1, descending=True, stable=True).indices
    return ids.gather(-1, order)


def _lowest(scores: Tensor, least: Tensor, k: int) -> Tensor:
    """Ids of all scores above the least one, filled up to k with the lowest ids of that score; [rows, k]."""
    above, equal = scores > least, scores == least
    kept = above | (equal & (equal.cumsum(-1) <= k - above.sum(-1, keepdim=True)))
    return kept.nonzero()[:, 1].view(-1, k)


def _taught(plan: _Plan, row: int, step: _Step) -> Taught:
    last = len(plan.answer)
    end, end_logp = int(step.ends[row, last]), float(step.end_logps[row, last])
    logps = [*step.logps[row, :last].tolist(), end_logp]
    return Taught(
        prompt_tokens=plan.prompt,
        tokens=(*plan.answer, end),
        logps=tuple(round(logp, DIGITS) for logp in logps),
        width=plan.top,
        top_ids=step.top_ids[row, : last + 1].numpy().astype("<u4").tobytes(),
        top_logps=step.top_logps[row, : last + 1].numpy().astype("<f4").tobytes(),
    )


def _padded(ids: Ids, length: int) -> list[int]:
    return [*ids, *[0] * (length - len(ids))]
