"""Next-token distributions along given answers, with torch; see `vsgen.backends.decoding.teach`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache

from vsgen.backends.decoding.forward import Along, Ids
from vsgen.backends.hf.draw import precise

if TYPE_CHECKING:
    from vsgen.backends.hf.network import Network

_SCORES = 1 << 26
"""Numbers in one forward pass's scores: rows x positions x vocabulary."""


class _Step(NamedTuple):
    """What is read from some positions' scores, [rows, positions] and [rows, positions, k]; nats."""

    logps: Tensor
    ends: Tensor
    end_logps: Tensor
    top_ids: Tensor
    top_logps: Tensor


@torch.inference_mode()
def read_along(network: Network, prompts: Sequence[Ids], answers: Sequence[Ids], ends: Ids, top: int) -> Along:
    """Next-token distributions along answers; long ones go through in parts."""
    positions = max(map(len, answers)) + 1
    stride = max(1, _SCORES // network.vocabulary // len(prompts))
    cache = _prefetch(network, prompts)
    rows = [_padded((p[-1], *answer), positions) for p, answer in zip(prompts, answers, strict=True)]
    fed = torch.tensor(rows, device=network.device)
    lengths = torch.tensor([len(prompt) - 1 for prompt in prompts], device=network.device)
    steps = []
    for start in range(0, positions, stride):
        nodes = range(start, min(start + stride, positions))
        scores = network.continued(*_inputs(network, fed, lengths, nodes), cache)
        steps.append(_read(precise(scores), fed[:, start + 1 : nodes.stop + 1], ends, top))
    logps, ids, end_logps, top_ids, top_logps = (torch.cat(parts, dim=1).cpu() for parts in zip(*steps, strict=True))
    return Along(logps.numpy(), ids.numpy(), end_logps.numpy(), top_ids.numpy(), top_logps.numpy())


def _prefetch(network: Network, prompts: Sequence[Ids]) -> DynamicCache:
    """Keys and values of all but the last token of each prompt; equal ones are computed once."""
    ahead = {prompt[:-1]: None for prompt in prompts}
    if not any(ahead):
        return DynamicCache()
    cache = network.prefetch(list(ahead))
    if len(ahead) < len(prompts):
        row = {prompt: row for row, prompt in enumerate(ahead)}
        cache.batch_select_indices(torch.tensor([row[prompt[:-1]] for prompt in prompts], device=network.device))
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


def _read(scores: Tensor, following: Tensor, ends: Ids, top: int) -> _Step:
    """Log-probabilities of what follows, of the likeliest end, and of the top tokens."""
    norm = scores.logsumexp(-1, keepdim=True)
    missing = scores.shape[1] - following.shape[1]
    chosen = scores.gather(-1, torch.nn.functional.pad(following.to(scores.device), (0, missing))[..., None])
    closing = torch.tensor(ends, device=scores.device)
    best, at = scores[..., closing].max(-1, keepdim=True)
    ids = _top(scores, top)
    return _Step(
        (chosen - norm)[..., 0].double(),
        closing[at[..., 0]],
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


def _padded(ids: Ids, length: int) -> list[int]:
    return [*ids, *[0] * (length - len(ids))]
