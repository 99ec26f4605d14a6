"""A causal language model of transformers as a `LanguageModel`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from vsgen.backends.chat.reader import Reader
from vsgen.backends.decoding.decode import Decoder
from vsgen.backends.decoding.grammar import Grammars
from vsgen.backends.decoding.parts import Limits, Parts
from vsgen.backends.decoding.queue import drawn
from vsgen.backends.decoding.score import score
from vsgen.backends.decoding.spare import Sparing
from vsgen.backends.decoding.teach import teach
from vsgen.backends.hf.load import CAREFUL, Opened, Trust, load, slow
from vsgen.backends.hf.network import Network
from vsgen.backends.hf.packed import pack, unpack
from vsgen.errors import ModelError
from vsgen.ports import Queue
from vsgen.values import Completion, Generate, ModelFacts, Prompt, Score, Scores, Taught, Teach

_MEMORY = 1 << 31
"""Bytes for keys and values where the machine does not say what it has."""


class HfModel:
    """Any causal language model with full or sliding-window attention, batched by a loop of our own.

    Sampling settings come from the call alone; of the model's generation_config only the end tokens are heeded.
    """

    def __init__(self, opened: Opened, *, batch: int | None = None) -> None:
        self._name = opened.name
        self._network = network = Network(opened.model)
        self._parts = _parts(opened, network)
        self._limits = _limits(opened.model, batch)
        self._facts = _facts(opened.model, self._parts)
        packed = pack(opened.model, self._limits.rows)
        try:
            network.check()
        except ModelError:
            if not packed:
                raise
            unpack(opened.model)
            network.check()

    @classmethod
    def open(
        cls,
        source: str,
        *,
        device: str = "auto",
        dtype: str = "auto",
        batch: int | None = None,
        trust: Trust = CAREFUL,
    ) -> HfModel:
        """Open a folder or a GGUF file, offline, or a hub id.

        Args:
            source: The folder that `save_pretrained` wrote, a ``*.gguf`` file, or the id.
            device: auto, cpu, cuda or mps.
            dtype: auto, float32, bfloat16, float16 or float64.
            batch: Replies decoded side by side; 32 on a CPU and 128 elsewhere by default, less where memory is short.
            trust: What may be done with its files, and whether they may be fetched.

        Raises:
            ModelError: There is no such model, or it cannot be used; the message says what to do.
        """
        opened = load(source, device=device, dtype=dtype, trust=trust)
        return cls(opened, batch=batch)

    @property
    def name(self) -> str:
        """The name of the folder or file, or the id, and what tells these weights from others."""
        return self._name

    def generate(self, calls: Sequence[Generate]) -> Sequence[Completion]:
        """Draw one completion per call, in the order of the calls.

        Raises:
            CallError: A call is refused.
        """
        return drawn(self.decoder(), calls)

    def score(self, calls: Sequence[Score]) -> Sequence[Scores]:
        """Score all choices of each call, in the order of the calls."""
        with self._network.computing():
            return score(self._parts, self._limits, calls)

    def teach(self, calls: Sequence[Teach]) -> Sequence[Taught]:
        """The distributions along each call's answer, in the order of the calls."""
        with self._network.computing():
            return teach(self._parts, self._limits, calls)

    def facts(self) -> ModelFacts:
        """What the model is."""
        return self._facts

    def render(self, prompt: Prompt) -> str:
        """The prompt as the model reads it: one text, with the marks of its chat template."""
        return self._parts.reader.render(prompt)[0]

    def remarks(self) -> Sequence[str]:
        """How many texts so far spelled its control tokens, which it read as text."""
        remark = self._parts.reader.control.remark(self._name)
        return [remark] if remark else []

    @property
    def rows(self) -> int:
        """Replies decoded side by side at most."""
        return self._limits.rows

    def decoder(self) -> Queue:
        """A new queue of `Generate` calls with a running batch of its own."""
        return Sparing(partial(Decoder, self._parts), self._limits)


def _parts(opened: Opened, network: Network) -> Parts:
    ends = _ends(opened.model, opened.tokenizer)
    reader = Reader(opened.tokenizer, ends)
    return Parts(network, opened.tokenizer, reader, Grammars(opened.tokenizer, network.vocabulary, ends), ends)


def _facts(model: PreTrainedModel, parts: Parts) -> ModelFacts:
    return ModelFacts(
        parameters=sum(weights.numel() for weights in model.parameters()),
        vocabulary=parts.network.vocabulary,
        context=parts.network.context,
        dtype=str(model.dtype).removeprefix("torch."),
        device=str(model.device),
        chat=bool(parts.tokenizer.chat_template),
        system=parts.reader.takes_system(),
        slow=slow(model.dtype, model.device),
    )


def _ends(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    """The tokens that end a reply: generation_config's, the configuration's and the tokenizer's."""
    settings = model.generation_config
    sources = (settings.eos_token_id if settings else None, model.config.eos_token_id, tokenizer.eos_token_id)
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
    )


def _memory(device: str) -> int:
    """Bytes for the running rows' keys and values: a third of what a GPU has left, an eighth of the machine's memory.

    As much again may be held by prompts computed ahead, and half as much by replies that may be continued.
    """
    if device == "cuda":
        return torch.cuda.mem_get_info()[0] // 3
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 8
    except (AttributeError, ValueError, OSError):
        return _MEMORY
