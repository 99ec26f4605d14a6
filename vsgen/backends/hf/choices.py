"""log P of the paths of trees of tokens, with torch; see `vsgen.backends.decoding.score`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache

from vsgen.backends.decoding.forward import Ids
from vsgen.backends.decoding.tree import Tree
from vsgen.backends.hf.draw import precise

if TYPE_CHECKING:
    from vsgen.backends.hf.network import Network


@torch.inference_mode()
def score_trees(network: Network, prompts: Sequence[Ids], trees: Sequence[Tree], ends: Ids) -> list[list[float]]:
    """Per prompt, the log-probability of every tail but the first, which is what they are conditioned on."""
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
    above = torch.from_numpy(tree.ancestors()).to(device).expand(len(prompts), -1, -1)
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
