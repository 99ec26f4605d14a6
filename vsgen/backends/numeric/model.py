"""Opens the embedded model, which numpy computes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.decoding.parts import Limits, Parts
from vsgen.backends.identity import own_name
from vsgen.backends.numeric.network import Network
from vsgen.backends.numeric.tokenizer import PlainTokenizer
from vsgen.values import ModelFacts

_ROWS: Final = 32
_TOKENS: Final = 1 << 16
"""In the cache: 512 MiB."""
_FORWARD: Final = 4096
_TREE: Final = 96


def open_embedded(folder: Path, *, name: str, batch: int | None = None) -> BatchedModel:
    """Open a folder that `save_pretrained` wrote of a plain Llama with tied embeddings and a chat template.

    Args:
        folder: Of the model.
        name: Its name.
        batch: Replies decoded side by side; 32 by default.
    """
    tokenizer, network = PlainTokenizer.read(folder), Network(folder)
    end = tokenizer.vocabulary.end
    parts = Parts.of(network, tokenizer, () if end is None else (end,))
    facts = ModelFacts(
        parameters=network.parameters,
        vocabulary=network.vocabulary,
        context=network.context,
        dtype="float64",
        device="cpu",
        chat=True,
        system=parts.reader.takes_system(),
        embedded=True,
    )
    limits = Limits(rows=batch or _ROWS, tokens=_TOKENS, forward=_FORWARD, tree=_TREE)
    return BatchedModel(own_name(str(folder), name, None), parts, limits, facts)
