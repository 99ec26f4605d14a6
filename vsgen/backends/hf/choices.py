"""A forward pass over nodes of a tree of tokens, with torch; see `vsgen.backends.decoding.passes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

from vsgen.backends.decoding.forward import Pass, Passed, Stored
from vsgen.backends.hf.cache import shared_by
from vsgen.backends.hf.draw import precise

if TYPE_CHECKING:
    from vsgen.backends.hf.network import Network


def pass_over(network: Network, before: Stored, nodes: Pass) -> Passed:
    """Compute nodes, and read those that are asked."""
    count = len(nodes.tokens)
    positions, tokens, asked, rows, following = (
        torch.tensor(each, dtype=torch.long, device=network.device)
        for each in (nodes.positions, nodes.tokens, nodes.asked, nodes.rows, nodes.following)
    )
    visible = torch.from_numpy(nodes.visible).to(network.device)
    mask = network.mask(visible[None], (positions[-count:, None] - positions)[None])
    cache = shared_by(1, before)
    scores = precise(network.continued(tokens[None], mask, positions[None, -count:], cache, asked)[0])
    norm = scores.logsumexp(-1)
    rows, following = rows.to(scores.device), following.to(scores.device)
    logps = scores[rows, following] - norm[rows]
    closes = scores[:, list(nodes.ends)].logsumexp(-1) - norm
    return Passed(logps.double().cpu().numpy(), closes.double().cpu().numpy(), _newest(cache, count))


def _newest(cache: DynamicCache, count: int) -> Stored:
    """Keys and values of the newest tokens; views, not copies."""
    return [
        (layer.keys[0, :, -count:], layer.values[0, :, -count:])
        if layer.keys is not None and layer.values is not None
        else None
        for layer in cast(list[DynamicLayer], cache.layers)
    ]
