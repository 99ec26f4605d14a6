"""The forward passes of a causal language model: prefetch prompts, one step of a running batch, a tree of choices.

All of them tell the model explicitly which columns a token may attend to (a 4-D additive mask) and at which position it
stands, so rows of unequal length share a batch. Models whose layers do not all attend (state space, linear attention)
or that ignore positions are refused at the door, by comparing with a plain forward pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from inspect import signature
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache, get_layer_types_and_kwargs

from vsgen.backends.decoding.forward import Along, Drawn, Ids, Pass, Passed, Stored
from vsgen.backends.hf import draw as drawing
from vsgen.backends.hf.cache import Buffers, copied, shared_by, store, widened
from vsgen.backends.hf.choices import pass_over
from vsgen.backends.hf.lessons import read_along
from vsgen.backends.hf.ragged import NAME, Chunk, Plan, planned
from vsgen.backends.threads import computing
from vsgen.errors import ModelError
from vsgen.values import Generate

_ALIGN = 16
"""Spans are rounded up to this: fewer shapes, and attention kernels on GPUs want aligned masks."""
_TOLERANCE = {2: 0.3, 4: 0.02, 8: 0.02}
"""Bytes per number to the largest difference between two ways to the same scores, as a share of their spread."""
_SMALL = 20_000_000
"""Parameters up to which a second thread costs more than it brings on a CPU: each operation ends too soon."""
_FAILURES = (TypeError, ValueError, RuntimeError, KeyError, IndexError, AttributeError)
"""What a model may raise when it is called in a way that it does not know."""


class Network:
    """One model's forward passes."""

    def __init__(self, model: PreTrainedModel) -> None:
        config = model.config.get_text_config(decoder=True)
        self._model = model
        self._kinds, self._window = _attention(config)
        self.device: torch.device = model.device
        self.dtype: torch.dtype = model.dtype
        self.vocabulary: int = config.vocab_size
        self.context: int | None = getattr(config, "max_position_embeddings", None)
        self.takes_chunks = False
        """Whether `chunks` may be called; known once `check` has been."""
        self._takes_places = "logits_to_keep" in signature(model.forward).parameters
        self._small = model.device.type == "cpu" and model.num_parameters() <= _SMALL

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Within it a small model on a CPU computes on one thread; a larger one on as many as torch has."""
        turn = computing(alone=self._small) if self.device.type == "cpu" else nullcontext()
        with turn, torch.inference_mode():
            yield

    def running(self, rows: int, tokens: int) -> Buffers:
        """A new cache of a running batch."""
        return Buffers(rows, tokens)

    def ahead(self, prompts: Sequence[Ids], trunk: Stored = ()) -> Sequence[Stored]:
        """Keys and values of a group of prompts: views of one cache."""
        cache, before = self.prefetch(prompts, trunk), next((pair[0].shape[1] for pair in trunk if pair), 0)
        return [store(cache, row, before + len(prompt)) for row, prompt in enumerate(prompts)]

    def copied(self, stored: Stored) -> Stored:
        """The same keys and values, in memory of their own."""
        return copied(stored)

    def knobs(self, calls: Sequence[Generate]) -> drawing.Knobs:
        """The settings of the running calls."""
        return drawing.knobs(calls, self._drawn_on)

    def draw(
        self, scores: Tensor, how: drawing.Knobs, uniforms: Sequence[float], bars: NDArray[np.float32] | None
    ) -> Drawn:
        """Draw one token per row."""
        given = torch.tensor(uniforms, dtype=torch.float64, device=scores.device)
        forbidden = None if bars is None else torch.from_numpy(bars).to(scores.device)
        drawn = drawing.draw(scores, how, given, forbidden)
        tokens, logp, logq = torch.stack([drawn.tokens.double(), drawn.logp, drawn.logq]).tolist()
        return Drawn([int(token) for token in tokens], logp, logq)

    def own_logp(self, scores: Tensor, tokens: Sequence[int]) -> list[float]:
        """The model's own log-probability of one given token per row."""
        found: list[float] = drawing.own_logp(scores, torch.tensor(tokens, device=scores.device)).tolist()
        return found

    @torch.inference_mode()
    def tree(self, before: Stored, nodes: Pass) -> Passed:
        """Compute nodes of a tree."""
        return pass_over(self, before, nodes)

    def widened(self, stored: Stored, columns: int) -> Stored:
        """A copy of keys and values, with room for so many tokens."""
        return widened(stored, columns)

    def along(self, prompts: Sequence[Ids], answers: Sequence[Ids], ends: Ids, top: int) -> Along:
        """Next-token distributions along answers."""
        return read_along(self, prompts, answers, ends, top)

    @property
    def _drawn_on(self) -> torch.device:
        return torch.device("cpu") if self.device.type == "mps" else self.device

    @torch.inference_mode()
    def prefetch(self, prompts: Sequence[Sequence[int]], trunk: Stored = ()) -> DynamicCache:
        """Keys and values of a group of prompts; the shorter ones are padded at their end, where nobody looks.

        Args:
            prompts: Each prompt's tokens after the trunk.
            trunk: Keys and values of what all of them begin with.
        """
        longest = max(len(prompt) for prompt in prompts)
        padded = [[*prompt, *[0] * (longest - len(prompt))] for prompt in prompts]
        cache = shared_by(len(prompts), trunk)
        body = self._model.base_model
        body(input_ids=self._tensor(padded), past_key_values=cache, use_cache=True)
        return cache

    @torch.inference_mode()
    def step(self, tokens: Sequence[int], lengths: Sequence[int], buffers: Buffers) -> Tensor:
        """Scores of every row's next token, [rows, vocabulary].

        Args:
            tokens: Each row's newest token, not yet in the cache.
            lengths: How many tokens each row has in the cache; the newest one's position.
            buffers: The cache; it gains the newest tokens.
        """
        span = -(-(max(lengths) + 1) // _ALIGN) * _ALIGN
        buffers.place.reserve(len(tokens), span)
        fed = self._tensor([tokens, lengths])
        positions = fed[1][:, None]
        buffers.aim(fed[1], span)
        columns = torch.arange(span, device=self.device)
        mask = self.mask(columns <= positions, positions - columns)
        return drawing.precise(self._forward(fed[0][:, None], mask, positions, buffers)[:, 0])

    @torch.inference_mode()
    def chunks(self, tokens: Sequence[Sequence[int]], lengths: Sequence[int], buffers: Buffers) -> Tensor:
        """Scores after every token of rows that feed unequal numbers of them, [tokens, vocabulary], row after row.

        Args:
            tokens: Each row's newest tokens, not yet in the cache; one or more.
            lengths: How many tokens each row has in the cache.
            buffers: The cache; it gains the newest tokens.
        """
        counts = [len(row) for row in tokens]
        rows = [row for row, count in enumerate(counts) for _ in range(count)]
        places = [length + i for length, count in zip(lengths, counts, strict=True) for i in range(count)]
        fed = self._tensor([[token for row in tokens for token in row], rows, places])
        span = -(-(max(places) + 1) // _ALIGN) * _ALIGN
        buffers.place.reserve(len(tokens), span)
        buffers.aim_at(fed[1], fed[2], len(tokens), span)
        ends = list(accumulate(counts))
        plan = Plan(
            last=self._tensor([ends])[0] - 1,
            chunks=tuple(
                Chunk(row, end - count, count - 1, length)
                for row, (end, count, length) in enumerate(zip(ends, counts, lengths, strict=True))
                if count > 1
            ),
        )
        positions = fed[2][plan.last][:, None]
        columns = torch.arange(span, device=self.device)
        mask = self.mask(columns <= positions, positions - columns)
        with planned(plan), self._attending_raggedly():
            return drawing.precise(self._forward(fed[:1], mask, fed[2:], buffers)[0])

    @contextmanager
    def _attending_raggedly(self) -> Iterator[None]:
        before = self._model.config._attn_implementation
        self._model.set_attn_implementation(NAME)
        try:
            yield
        finally:
            self._model.set_attn_implementation(before)

    @torch.inference_mode()
    def continued(
        self, tokens: Tensor, mask: Any, positions: Tensor, cache: DynamicCache, read: Tensor | None = None
    ) -> Tensor:
        """Scores after tokens that continue the cache, [rows, tokens, vocabulary].

        Args:
            tokens: [rows, tokens].
            mask: From `mask`.
            positions: [rows, tokens].
            cache: It gains the tokens.
            read: Places of the tokens whose scores are wanted; None for all.
        """
        if read is None:
            return self._forward(tokens, mask, positions, cache)
        if self._takes_places:
            return self._forward(tokens, mask, positions, cache, logits_to_keep=read)
        return self._forward(tokens, mask, positions, cache)[:, read]

    def mask(self, visible: Tensor, distance: Tensor) -> Any:
        """The additive mask: 0 where a query sees a key, else -inf; one per kind of layer where a model has two.

        Args:
            visible: [rows, keys] for one query per row, or [rows, queries, keys].
            distance: Positions from key to query, of the same shape.
        """
        if visible.ndim == 2:
            visible, distance = visible[:, None], distance[:, None]
        masks = {}
        for kind in self._kinds:
            seen = visible if kind == "full_attention" else visible & (distance < self._window)
            shape = (visible.shape[0], 1, *visible.shape[1:])
            blank = torch.zeros(shape, dtype=self.dtype, device=self.device)
            masks[kind] = blank.masked_fill_(~seen[:, None], -torch.inf)
        return masks if len(masks) > 1 else masks[self._kinds[0]]

    def check(self) -> None:
        """Refuse a model that does not heed masks and positions: two ways to the same scores must agree."""
        prompts = [[3 % self.vocabulary, 1, 2, 5 % self.vocabulary], [2, 4 % self.vocabulary]]
        try:
            plain = torch.stack([self._plain(prompt) for prompt in prompts])
            stepped = self._stepped(prompts)
        except _FAILURES as error:
            raise ModelError(f"{_kind(self._model)} models are not supported: {error}; use an endpoint") from error
        if not self._agree(plain, stepped):
            raise ModelError(
                f"{_kind(self._model)} models are not supported: they ignore attention masks; use an endpoint"
            )
        self.takes_chunks = self._try_chunks(prompts, plain)

    def _try_chunks(self, prompts: Sequence[Sequence[int]], plain: Tensor) -> bool:
        """Whether `chunks` works for this model, where it pays: on a GPU it would be many small kernels."""
        if self.device.type != "cpu" or self._model.config._attn_implementation != "sdpa":
            return False
        try:
            return self._agree(plain, self._chunked(prompts))
        except _FAILURES:
            return False

    def _agree(self, plain: Tensor, found: Tensor) -> bool:
        spread = plain.std().clamp(min=1e-6)
        return bool(((plain - found).abs().max() / spread) < _TOLERANCE[self.dtype.itemsize])

    @torch.inference_mode()
    def _plain(self, prompt: Sequence[int]) -> Tensor:
        scores: Tensor = self._model(input_ids=self._tensor([prompt]), use_cache=False).logits
        return scores[0, -1].double().cpu()

    def _stepped(self, prompts: Sequence[Sequence[int]]) -> Tensor:
        lengths = [len(prompt) - 1 for prompt in prompts]
        buffers = self._begun([prompt[:-1] for prompt in prompts])
        return self.step([prompt[-1] for prompt in prompts], lengths, buffers).double().cpu()

    def _chunked(self, prompts: Sequence[Sequence[int]]) -> Tensor:
        buffers = self._begun([prompt[:1] for prompt in prompts])
        rests = [prompt[1:] for prompt in prompts]
        ends = [end - 1 for end in accumulate(map(len, rests))]
        return self.chunks(rests, [1] * len(prompts), buffers)[ends].double().cpu()

    def _begun(self, prompts: Sequence[Sequence[int]]) -> Buffers:
        """The cache of rows that hold these tokens."""
        buffers = Buffers(rows=len(prompts), tokens=_ALIGN * len(prompts))
        buffers.place.reserve(len(prompts), _ALIGN)
        cache = self.prefetch(prompts)
        for row, prompt in enumerate(prompts):
            buffers.insert(row, store(cache, row, len(prompt)))
        return buffers

    def _forward(self, tokens: Tensor, mask: Any, positions: Tensor, cache: Any, **how: Any) -> Tensor:
        scores: Tensor = self._model(
            input_ids=tokens, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True, **how
        ).logits
        return scores

    def _tensor(self, numbers: Sequence[Sequence[int]]) -> Tensor:
        return torch.tensor(numbers, device=self.device)


def _attention(config: Any) -> tuple[list[str], int]:
    """The kinds of attention layers, and the window of the sliding ones."""
    types, _ = get_layer_types_and_kwargs(config)
    kinds = sorted(set(types) - {"dummy"})
    if not kinds or set(kinds) - {"full_attention", "sliding_attention"}:
        raise ModelError(
            f"{config.model_type} models are not supported: their layers are {', '.join(kinds) or 'no attention'}; "
            "only full and sliding attention can be batched here; use an endpoint"
        )
    return kinds, getattr(config, "sliding_window", None) or 0


def _kind(model: PreTrainedModel) -> str:
    return str(model.config.model_type)
