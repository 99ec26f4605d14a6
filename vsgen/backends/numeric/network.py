"""The embedded model's forward passes: a Llama in numpy, all of it in float64, on one thread.

Transformers computes the same folder with norms and rotary angles in float32, so its scores differ by some 1e-5.
Norms' gains and the attention's scale are folded into the matrices that follow them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from vsgen.backends.decoding.forward import Along, Drawn, Ids, Pass, Passed, Stored
from vsgen.backends.numeric.cache import Buffers
from vsgen.backends.numeric.draw import Knobs, draw, knobs, own_logp
from vsgen.backends.numeric.reading import along, follow
from vsgen.backends.numeric.threads import one_thread
from vsgen.values import Generate

Array: TypeAlias = NDArray[np.float64]
Attend: TypeAlias = Callable[[int, Array, Array, Array], Array]
"""From a layer's number and queries, keys and values, [tokens, heads, dim], to what is attended to, the same shape."""
_PAST: TypeAlias = Sequence[tuple[Array, Array]]
"""Keys and values of each layer, [rows or 1, heads, length, dim]."""


class _Layer(NamedTuple):
    qkv: Array
    out: Array
    gate_up: Array
    down: Array


class Network:
    """One model's forward passes."""

    def __init__(self, folder: Path) -> None:
        """Read the weights."""
        config = json.loads((folder / "config.json").read_text())
        weights = {name: array.astype(np.float64) for name, array in load_file(folder / "model.safetensors").items()}
        self._heads: int = config["num_attention_heads"]
        self._dim: int = config["head_dim"]
        self._eps: float = config["rms_norm_eps"]
        self.vocabulary: int = config["vocab_size"]
        self.context: int | None = config["max_position_embeddings"]
        self.takes_chunks = True
        self.parameters = sum(array.size for array in weights.values())
        self._layers = [self._layer(weights, f"model.layers.{i}.") for i in range(config["num_hidden_layers"])]
        self._embed = weights["model.embed_tokens.weight"]
        self._head = np.ascontiguousarray((self._embed * weights["model.norm.weight"]).T)
        steps = config["rope_parameters"]["rope_theta"] ** (-np.arange(0, self._dim, 2) / self._dim)
        angles = np.tile(np.arange(config["max_position_embeddings"])[:, None, None] * steps, 2)
        half = self._dim // 2
        self._cos, self._sin = np.cos(angles), np.sin(angles) * np.repeat([-1.0, 1.0], half)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Within it numpy computes on one thread; a score that overflows is not finite, and is refused as such."""
        with one_thread(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            yield

    def running(self, rows: int, tokens: int) -> Buffers:
        """A new cache."""
        return Buffers(len(self._layers), self._heads, self._dim, rows, tokens)

    def ahead(self, prompts: Sequence[Ids], trunk: Stored = ()) -> Sequence[Stored]:
        """Keys and values of a group of prompts; the shorter ones are padded at their end, where nobody looks."""
        past = self._past(trunk)
        longest, before = max(map(len, prompts)), past[0][0].shape[2]
        tokens = np.array([[*prompt, *[0] * (longest - len(prompt))] for prompt in prompts])
        places = np.arange(longest)
        hidden = np.concatenate([np.zeros((longest, before)), _bars(places[:, None] < places)], 1)
        own = self._continue(tokens, (before + places)[None], past, hidden[None], scored=False)[1]
        ends = [before + len(prompt) for prompt in prompts]
        return [[(k[i, :, :end], v[i, :, :end]) for k, v in own] for i, end in enumerate(ends)]

    def copied(self, stored: Stored) -> Stored:
        """The same keys and values, in memory of their own."""
        return [pair and (pair[0].copy(), pair[1].copy()) for pair in stored]

    def step(self, tokens: Sequence[int], lengths: Sequence[int], cache: Buffers) -> Array:
        """Scores of every row's next token, [rows, vocabulary]; the cache gains the tokens."""
        at, rows, span = np.array(lengths), np.arange(len(tokens)), max(lengths) + 1
        cache.reserve_for(len(tokens), span)
        hidden = _bars(np.arange(span) > at[:, None])[:, None, None]

        def attend(layer: int, q: Array, k: Array, v: Array) -> Array:
            keys, values = cache.write(layer, rows, at, k, v, span)
            return _attended(q[:, :, None], keys, values, hidden)[:, :, 0]

        return self._scores(self._run(np.array(tokens), at, attend))

    def chunks(self, tokens: Sequence[Sequence[int]], lengths: Sequence[int], cache: Buffers) -> Array:
        """Scores after every token of rows that feed unequal numbers of them, [tokens, vocabulary], row after row."""
        counts = [len(row) for row in tokens]
        rows = np.repeat(np.arange(len(tokens)), counts)
        at = np.concatenate([length + np.arange(count) for length, count in zip(lengths, counts, strict=True)])
        span = int(at.max()) + 1
        cache.reserve_for(len(tokens), span)
        ends = list(accumulate(counts))
        last = np.array(ends) - 1
        hidden = _bars(np.arange(span) > at[last][:, None])[:, None, None]

        def attend(layer: int, q: Array, k: Array, v: Array) -> Array:
            keys, values = cache.write(layer, rows, at, k, v, span)
            found = np.empty_like(q)
            found[last] = _attended(q[last][:, :, None], keys, values, hidden)[:, :, 0]
            for row, (end, count) in enumerate(zip(ends, counts, strict=True)):
                if count > 1:
                    part, whole = slice(end - count, end - 1), int(at[end - 1])
                    bars = _bars(np.arange(whole) > at[part][:, None])
                    asked = q[part].transpose(1, 0, 2)
                    one = _attended(asked, keys[row, :, :whole], values[row, :, :whole], bars)
                    found[part] = one.transpose(1, 0, 2)
            return found

        return self._scores(self._run(np.array([token for row in tokens for token in row]), at, attend))

    def knobs(self, calls: Sequence[Generate]) -> Knobs:
        """The settings of the running calls."""
        return knobs(calls)

    def draw(self, scores: Array, how: Knobs, uniforms: Sequence[float], bars: NDArray[np.float32] | None) -> Drawn:
        """Draw one token per row."""
        return draw(scores, how, np.array(uniforms), bars)

    def own_logp(self, scores: Array, tokens: Sequence[int]) -> list[float]:
        """The model's own log-probability of one given token per row."""
        return own_logp(scores, np.array(tokens, np.int64))

    def tree(self, before: Stored, nodes: Pass) -> Passed:
        """Compute nodes of a tree."""
        count, past = len(nodes.tokens), self._past(before)
        positions = np.array(nodes.positions[-count:])[None]
        hidden, own = self._continue(
            np.array([nodes.tokens]), positions, past, _bars(~nodes.visible)[None], scored=False
        )
        logps, closes = follow(self._scores(hidden[nodes.asked]), nodes.rows, nodes.following, nodes.ends)
        return Passed(logps, closes, [(k[0, :, -count:], v[0, :, -count:]) for k, v in own])

    def widened(self, stored: Stored, columns: int) -> Stored:
        """A copy of keys and values, with room for so many tokens."""
        return [pair and (_wide(pair[0], columns), _wide(pair[1], columns)) for pair in stored]

    def along(self, prompts: Sequence[Ids], answers: Sequence[Ids], ends: Ids, top: int) -> Along:
        """Next-token distributions along answers."""
        lengths, past = self._begun(prompts)
        width = max(map(len, answers)) + 1
        tokens = [(*p[-1:], *a, *[0] * (width - 1 - len(a))) for p, a in zip(prompts, answers, strict=True)]
        return along(self._chains(tokens, lengths, past), np.array(tokens)[:, 1:], ends, top)

    def _begun(self, prompts: Sequence[Ids]) -> tuple[NDArray[np.int64], _PAST]:
        """How many tokens each prompt has before its last, and keys and values of these, padded; equal ones once."""
        ahead = {prompt[:-1]: None for prompt in prompts}
        lengths = np.array([len(prompt) - 1 for prompt in prompts])
        if not any(ahead):
            return lengths, self._past(())
        longest, places = int(lengths.max()), np.arange(int(lengths.max()))
        tokens = np.array([[*ids, *[0] * (longest - len(ids))] for ids in ahead])
        hidden = _bars(places[:, None] < places)[None]
        own = self._continue(tokens, places[None], self._past(()), hidden, scored=False)[1]
        row = {ids: i for i, ids in enumerate(ahead)}
        rows = [row[prompt[:-1]] for prompt in prompts]
        return lengths, own if len(ahead) == len(prompts) else [(k[rows], v[rows]) for k, v in own]

    def _chains(self, tokens: Sequence[Ids], lengths: NDArray[np.int64], past: _PAST) -> Array:
        """Scores after every token that continues a prompt, [rows, tokens, vocabulary]."""
        count, places = len(tokens[0]), np.arange(len(tokens[0]))
        before = np.arange(past[0][0].shape[2]) >= lengths[:, None]
        hidden = np.broadcast_to(before[:, None], (len(tokens), count, before.shape[1]))
        later = np.broadcast_to(places[:, None] < places, (len(tokens), count, count))
        bars = _bars(np.concatenate([hidden, later], 2))
        scores, _ = self._continue(np.array(tokens), lengths[:, None] + places, past, bars, scored=True)
        return scores

    def _continue(
        self, tokens: NDArray[np.int64], positions: NDArray[np.int64], past: _PAST, bars: Array, *, scored: bool
    ) -> tuple[Array, _PAST]:
        """Feed rows of as many tokens each, [rows, n]; scores of what follows each, and all keys and values."""
        rows, n = tokens.shape
        own: list[tuple[Array, Array]] = []

        def attend(layer: int, q: Array, k: Array, v: Array) -> Array:
            asked, *new = (each.reshape(rows, n, self._heads, self._dim).transpose(0, 2, 1, 3) for each in (q, k, v))
            keys, values = (_joined(old, each) for old, each in zip(past[layer], new, strict=True))
            own.append((keys, values))
            return _attended(asked, keys, values, bars[:, None]).transpose(0, 2, 1, 3).reshape(q.shape)

        at = np.broadcast_to(positions, (rows, n)).ravel()
        hidden = self._run(tokens.ravel(), at, attend)
        return (self._scores(hidden).reshape(rows, n, -1) if scored else hidden), own

    def _run(self, tokens: NDArray[np.int64], positions: NDArray[np.int64], attend: Attend) -> Array:
        """What the layers make of tokens, [tokens, width], normed."""
        x = self._embed[tokens]
        cos, sin = self._cos[positions], self._sin[positions]
        for i, layer in enumerate(self._layers):
            q, k, v = np.split((self._normed(x) @ layer.qkv).reshape(len(x), 3 * self._heads, self._dim), 3, axis=1)
            x = x + attend(i, _turned(q, cos, sin), _turned(k, cos, sin), v).reshape(len(x), -1) @ layer.out
            gate, up = np.split(self._normed(x) @ layer.gate_up, 2, axis=1)
            x = x + (gate / (1 + np.exp(-gate)) * up) @ layer.down
        return self._normed(x)

    def _scores(self, hidden: Array) -> Array:
        found: Array = hidden @ self._head
        return found

    def _normed(self, x: Array) -> Array:
        normed: Array = x / np.sqrt(np.einsum("ij,ij->i", x, x)[:, None] / x.shape[1] + self._eps)
        return normed

    def _past(self, stored: Stored) -> _PAST:
        if not stored:
            empty = np.empty((1, self._heads, 0, self._dim))
            return [(empty, empty)] * len(self._layers)
        return [(pair[0][None], pair[1][None]) for pair in stored if pair is not None]

    def _layer(self, weights: dict[str, Array], name: str) -> _Layer:
        def joined(gain: str, scales: Sequence[float], *parts: str) -> Array:
            rows = [scale * weights[f"{name}{part}.weight"] for scale, part in zip(scales, parts, strict=True)]
            return np.ascontiguousarray((np.concatenate(rows) * weights[f"{name}{gain}.weight"]).T)

        attention = [f"self_attn.{part}_proj" for part in "qkv"]
        return _Layer(
            qkv=joined("input_layernorm", [self._dim**-0.5, 1, 1], *attention),
            out=np.ascontiguousarray(weights[f"{name}self_attn.o_proj.weight"].T),
            gate_up=joined("post_attention_layernorm", [1, 1], "mlp.gate_proj", "mlp.up_proj"),
            down=np.ascontiguousarray(weights[f"{name}mlp.down_proj.weight"].T),
        )


def _turned(x: Array, cos: Array, sin: Array) -> Array:
    """Rotary positions (arXiv 2104.09864), the two halves of a head side by side."""
    half = x.shape[-1] // 2
    return x * cos + np.concatenate([x[..., half:], x[..., :half]], -1) * sin


def _attended(q: Array, keys: Array, values: Array, bars: Array) -> Array:
    """Attention of [..., queries, dim] over [..., keys, dim]; the scale is in the queries already."""
    scores = q @ keys.swapaxes(-1, -2) + bars
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    found: Array = weights @ values / weights.sum(-1, keepdims=True)
    return found


def _joined(old: Array, new: Array) -> Array:
    return np.concatenate([np.broadcast_to(old, (len(new), *old.shape[1:])), new], 2) if old.shape[2] else new


def _wide(each: Array, columns: int) -> Array:
    wide = np.zeros((each.shape[0], columns, each.shape[2]))
    kept = min(columns, each.shape[1])
    wide[:, :kept] = each[:, :kept]
    return wide


def _bars(hidden: Any) -> Array:
    """-inf where a token is not seen, else 0."""
    return np.where(hidden, -np.inf, 0.0)
