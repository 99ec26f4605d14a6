"""What decoding, scoring and teaching need of a model's arithmetic, whichever library does it.

Scores and stored keys and values are arrays of that library: whoever is handed them only slices them by place.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vsgen.values import Generate

Ids: TypeAlias = tuple[int, ...]
Stored: TypeAlias = Sequence[tuple[Any, Any] | None]
"""One prompt's keys and values per layer, each [heads, length, dim]; None for a layer that keeps none."""


class Drawn(NamedTuple):
    """One token per row, and its log-probability in nats: the model's own and as drawn."""

    tokens: list[int]
    logp: list[float]
    logq: list[float]


class Along(NamedTuple):
    """What is read along some answers, [rows, positions] and [rows, positions, k]; nats."""

    logps: NDArray[np.float64]
    """Of the token that follows; meaningless at and after an answer's last position."""
    ends: NDArray[np.int64]
    """The likeliest end."""
    end_logps: NDArray[np.float64]
    top_ids: NDArray[np.uint32]
    top_logps: NDArray[np.float32]


class Pass(NamedTuple):
    """Nodes of a tree of tokens, computed in one forward pass over keys and values of what stands before them."""

    tokens: Sequence[int]
    positions: Sequence[int]
    """Of all that is looked at: first of what stands before, then of the nodes."""
    visible: NDArray[np.bool_]
    """[nodes, positions], True where a node looks."""
    asked: Sequence[int]
    """Places of the nodes whose scores are read."""
    rows: Sequence[int]
    """For each token of `following`, the place in `asked` of what it follows."""
    following: Sequence[int]
    ends: Ids
    """Tokens that end what goes before them; they count together."""


class Passed(NamedTuple):
    """What a pass found; float64, nats."""

    logps: NDArray[np.float64]
    """Of `following`."""
    closes: NDArray[np.float64]
    """Of an end after each asked node."""
    stored: Stored
    """Keys and values of the nodes."""


class Running(Protocol):
    """The cache of a running batch: rows 0 to n-1 are running, row i has its own length."""

    def holds(self, rows: int, columns: int) -> bool:
        """Whether there is room for so many rows and columns."""
        ...

    def reserve(self, rows: int, columns: int) -> None:
        """Make room for so many rows and columns."""
        ...

    def insert(self, row: int, stored: Stored) -> None:
        """Put a prompt's keys and values into a row; there must be room."""
        ...

    def copy(self, row: int, length: int) -> Stored:
        """A row's first keys and values, out of the way of what is written later."""
        ...

    def move(self, source: int, target: int, length: int) -> None:
        """Copy a row over another."""
        ...


class Forward(Protocol):
    """One model's forward passes, and what is read from their scores."""

    vocabulary: int
    context: int | None
    takes_chunks: bool
    """Whether `chunks` may be called."""

    def computing(self) -> AbstractContextManager[None]:
        """Within it, and only there, the methods below may be called."""
        ...

    def running(self, rows: int, tokens: int) -> Running:
        """A new cache of at most so many rows, and tokens (rows times columns) unless a single batch needs more."""
        ...

    def ahead(self, prompts: Sequence[Ids], trunk: Stored = ()) -> Sequence[Stored]:
        """Keys and values of a group of prompts, which may share memory.

        Args:
            prompts: Each prompt's tokens after the trunk.
            trunk: Keys and values of what all of them begin with.
        """
        ...

    def copied(self, stored: Stored) -> Stored:
        """The same keys and values, in memory of their own."""
        ...

    def step(self, tokens: Sequence[int], lengths: Sequence[int], cache: Any) -> Any:
        """Scores of every row's next token, [rows, vocabulary]; the cache gains the tokens."""
        ...

    def chunks(self, tokens: Sequence[Sequence[int]], lengths: Sequence[int], cache: Any) -> Any:
        """Scores after every token of rows that feed unequal numbers of them, [tokens, vocabulary], row after row."""
        ...

    def knobs(self, calls: Sequence[Generate]) -> Any:
        """The settings of the running calls, as `draw` wants them."""
        ...

    def draw(self, scores: Any, knobs: Any, uniforms: Sequence[float], bars: NDArray[np.float32] | None) -> Drawn:
        """Draw one token per row, by inverse CDF.

        Args:
            scores: [rows, vocabulary], from `step` or chosen rows of `chunks`.
            knobs: From `knobs`.
            uniforms: One per row, in [0, 1).
            bars: [rows, vocabulary], -inf where a grammar forbids the token, else 0; None allows all.
        """
        ...

    def own_logp(self, scores: Any, tokens: Sequence[int]) -> list[float]:
        """The model's own log-probability of one given token per row."""
        ...

    def tree(self, before: Stored, nodes: Pass) -> Passed:
        """Compute nodes of a tree.

        Args:
            before: Keys and values of what stands before them.
            nodes: The nodes.
        """
        ...

    def widened(self, stored: Stored, columns: int) -> Stored:
        """A copy of keys and values, with room for so many tokens."""
        ...

    def along(self, prompts: Sequence[Ids], answers: Sequence[Ids], ends: Ids, top: int) -> Along:
        """Next-token distributions along answers; `top` of them, the likeliest first, of equals the lowest id."""
        ...
