"""Attention of rows that feed unequal numbers of tokens in one forward pass, without padding.

The pass sees one sequence of all rows' tokens, side by side; only attention knows which row a token belongs to. The
last token of every row attends as in any step, all rows at once; the tokens before it attend row by row.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "vsgen_ragged"
"""What a model is told to attend with."""


class Chunk(NamedTuple):
    """The tokens that a row feeds before its last one."""

    row: int
    start: int
    """The first one's place among all rows' tokens."""
    size: int
    length: int
    """Tokens that the row had before."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which rows the tokens of a pass belong to."""

    last: Tensor
    """[rows], the place of each row's last token among all rows' tokens."""
    chunks: tuple[Chunk, ...]


_PLAN: ContextVar[Plan | None] = ContextVar("plan", default=None)


@contextmanager
def planned(plan: Plan) -> Iterator[None]:
    """Within it attention follows the plan."""
    token = _PLAN.set(plan)
    try:
        yield
    finally:
        _PLAN.reset(token)


def _attend(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **how: Any
) -> tuple[Tensor, None]:
    """Attention as transformers calls it.

    Args:
        module: The layer.
        query: [1, heads, tokens, dim], all rows' tokens side by side.
        key: [rows, key heads, span, dim], each row's own.
        value: The same.
        attention_mask: [rows, 1, 1, span], additive, for each row's last token.
        how: `scaling`, and `sliding_window` where this layer has one.
    """
    plan = _PLAN.get()
    if plan is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **how)
    tokens, heads = query[0].transpose(0, 1), key.shape[1]
    grouped = tokens.reshape(len(tokens), heads, -1, tokens.shape[-1])
    scale = how.get("scaling")
    last = scaled_dot_product_attention(grouped[plan.last], key, value, attn_mask=attention_mask, scale=scale)
    output = last.new_empty(*tokens.shape[:2], value.shape[-1])
    output[plan.last] = last.flatten(1, 2)
    for row, start, count, length in plan.chunks:
        whole = length + count
        mask = _causal(count, whole, how.get("sliding_window"), last.dtype).repeat(grouped.shape[2], 1)
        asked = grouped[start : start + count].permute(1, 2, 0, 3)
        found = scaled_dot_product_attention(
            asked.flatten(1, 2)[None],
            key[row : row + 1, :, :whole],
            value[row : row + 1, :, :whole],
            attn_mask=mask.to(query.device),
            scale=scale,
        )
        by_group = found.reshape(heads, -1, count, found.shape[-1])
        output[start : start + count] = by_group.permute(2, 0, 1, 3).flatten(1, 2)
    return output[None], None


def _causal(count: int, whole: int, window: int | None, dtype: torch.dtype) -> Tensor:
    """[count, whole], 0 where one of the last `count` tokens sees a token of the row, else -inf."""
    distance = torch.arange(whole - count, whole)[:, None] - torch.arange(whole)
    hidden = (distance < 0) if window is None else (distance < 0) | (distance >= window)
    return torch.zeros(count, whole, dtype=dtype).masked_fill_(hidden, -torch.inf)


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, sdpa_mask)
