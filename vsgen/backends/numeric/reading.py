"""What is read from scores: log-probabilities of tokens and ends, and the likeliest tokens at each place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vsgen.backends.decoding.forward import Along

Array: TypeAlias = NDArray[np.float64]


def follow(scores: Array, rows: Sequence[int], tokens: Sequence[int], ends: Sequence[int]) -> tuple[Array, Array]:
    """Log-probabilities of tokens, each after one of the rows; and of an end after every row.

    Args:
        scores: [rows, vocabulary].
        rows: What each token follows.
        tokens: As many.
        ends: Tokens that end what goes before them; they count together.
    """
    norm = _log_sum(scores)
    return scores[list(rows), list(tokens)] - norm[list(rows)], _log_sum(scores[:, list(ends)]) - norm


def along(scores: Array, following: NDArray[np.int64], ends: Sequence[int], top: int) -> Along:
    """Log-probabilities of what follows, of the likeliest end, and of the top tokens.

    Args:
        scores: [rows, positions, vocabulary].
        following: [rows, positions - 1], the token after each position but the last.
        ends: Tokens that end an answer.
        top: How many of the likeliest.
    """
    norm = _log_sum(scores)[..., None]
    next_ids = np.pad(following, ((0, 0), (0, 1)))[..., None]
    closing = scores[..., list(ends)]
    best = closing.argmax(-1)
    ids = _top(scores, top)
    return Along(
        logps=(np.take_along_axis(scores, next_ids, -1) - norm)[..., 0],
        ends=np.array(ends)[best],
        end_logps=closing.max(-1) - norm[..., 0],
        top_ids=ids.astype(np.uint32),
        top_logps=(np.take_along_axis(scores, ids, -1) - norm).astype(np.float32),
    )


def _top(scores: Array, k: int) -> NDArray[np.int64]:
    """Ids of the k highest scores, the highest first; of equal scores the lowest ids, and these in order."""
    low = -scores
    if k >= scores.shape[-1]:
        return np.argsort(low, axis=-1, kind="stable")
    parted = np.argpartition(low, k, axis=-1)
    ids = np.sort(parted[..., :k], axis=-1)
    values = np.take_along_axis(low, ids, -1)
    ids = np.take_along_axis(ids, np.argsort(values, axis=-1, kind="stable"), -1)
    tied = values.max(-1) == np.take_along_axis(low, parted[..., k : k + 1], -1)[..., 0]
    ids[tied] = np.argsort(low[tied], axis=-1, kind="stable")[..., :k]
    return ids


def _log_sum(scores: Array) -> Array:
    most = scores.max(-1, keepdims=True)
    found: Array = np.log(np.exp(scores - most).sum(-1)) + most[..., 0]
    return found
