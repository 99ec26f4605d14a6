"""Opens a causal language model of transformers."""

from __future__ import annotations

import os
from typing import Any

import torch
from transformers import PreTrainedModel

from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.decoding.parts import Limits, Parts
from vsgen.backends.hf.load import CAREFUL, Trust, load, slow
from vsgen.backends.hf.network import Network
from vsgen.backends.hf.packed import pack, unpack
from vsgen.backends.hf.tokenizer import HfTokenizer
from vsgen.errors import ModelError
from vsgen.values import ModelFacts

_MEMORY = 1 << 31
"""Bytes for keys and values where the machine does not say what it has."""


def open_hf(
    source: str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    batch: int | None = None,
    trust: Trust = CAREFUL,
) -> BatchedModel:
    """Open any causal language model with full or sliding-window attention: a folder, a GGUF file or a hub id.

    Sampling settings come from the call alone; of the model's generation_config only the end tokens are heeded.

    Args:
        source: The folder that `save_pretrained` wrote, a ``*.gguf`` file, or the id; only the id asks the network.
        device: auto, cpu, cuda or mps.
        dtype: auto, float32, bfloat16, float16 or float64.
        batch: Replies decoded side by side; 32 on a CPU and 128 elsewhere by default, less where memory is short.
        trust: What may be done with its files, and whether they may be fetched.

    Raises:
        ModelError: There is no such model, or it cannot be used; the message says what to do.
    """
    opened = load(source, device=device, dtype=dtype, trust=trust)
    network, tokenizer = Network(opened.model), HfTokenizer(opened.tokenizer)
    parts = Parts.of(network, tokenizer, _ends(opened.model, tokenizer.vocabulary.end))
    limits = _limits(opened.model, batch)
    facts = _facts(opened.model, parts)
    packed = pack(opened.model, limits.rows)
    try:
        network.check()
    except ModelError:
        if not packed:
            raise
        unpack(opened.model)
        network.check()
    return BatchedModel(opened.name, parts, limits, facts)


def _facts(model: PreTrainedModel, parts: Parts) -> ModelFacts:
    return ModelFacts(
        parameters=sum(weights.numel() for weights in model.parameters()),
        vocabulary=parts.network.vocabulary,
        context=parts.network.context,
        dtype=str(model.dtype).removeprefix("torch."),
        device=str(model.device),
        chat=bool(parts.tokenizer.template),
        system=parts.reader.takes_system(),
        slow=slow(model.dtype, model.device),
    )


def _ends(model: PreTrainedModel, own: int | None) -> tuple[int, ...]:
    """The tokens that end a reply: generation_config's, the configuration's and `own`, the tokenizer's."""
    settings = model.generation_config
    sources = (settings.eos_token_id if settings else None, model.config.eos_token_id, own)
    ends: list[int] = []
    for source in sources:
        ends += [source] if isinstance(source, int) else source or []
    return tuple(dict.fromkeys(ends))


def _limits(model: PreTrainedModel, batch: int | None) -> Limits:
    """What fits: rows as asked, tokens by memory."""
    device = model.device.type
    config: Any = model.config.get_text_config(decoder=True)
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    per_token = 2 * config.num_hidden_layers * heads * dim * model.dtype.itemsize
    return Limits(
        rows=batch or (32 if device == "cpu" else 128),
        tokens=_memory(device) // per_token,
        forward=4096 if device == "cpu" else 16384,
        tree=256 if device == "cpu" else 1024,
    )


def _memory(device: str) -> int:
    """Bytes for the running rows' keys and values: a third of what a GPU has left, an eighth of the machine's memory.

    As much again may be held by prompts computed ahead, half as much by replies that may be continued, and a quarter by
    the beginnings of prompts that are scored.
    """
    if device == "cuda":
        return torch.cuda.mem_get_info()[0] // 3
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 8
    except (AttributeError, ValueError, OSError):
        return _MEMORY
