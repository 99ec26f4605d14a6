"""Embeds texts with any sentence-transformers model, so that on a CPU a text's bytes do not depend on its batch.

A matrix product picks its kernel, and with it the order of its sums, by the machine and by the number of rows: what
stands beside a text in a batch can change its last bits. So on a CPU each text is a batch of its own, which makes the
law hold by construction on every machine, at about half the speed of batches. On a GPU, where one text at a time would
waste nearly all of it, texts go together, and there the law does not hold.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsgen.errors import ModelError
from vsgen.values import Embed, Vector

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_ROWS = 64
"""Texts per forward pass on a GPU."""


class SentenceEmbedder:
    """Unit vectors of a sentence-transformers folder; keeps the Embedder protocol.

    Opening is cheap: the library (seconds to import) and the model are loaded when the first text comes.
    """

    def __init__(self, folder: Path, *, name: str, device: str = "auto") -> None:
        """An embedder that has not been loaded yet.

        Args:
            folder: what ``SentenceTransformer.save`` writes, or a plain transformers model (pooled by the mean).
            name: names the weights.
            device: auto, cpu, cuda or mps.
        """
        self.name = name
        """Names the weights; part of every call's digest in the journal."""
        self.cut = 0
        """How many of the texts so far filled the model's longest input; what lay beyond it was not read."""
        self._folder = folder
        self._device = device

    def embed(self, calls: Sequence[Embed]) -> Sequence[Vector]:
        """One vector per call, in the order of the calls; a text longer than the model's longest input is cut.

        Raises:
            ModelError: the model cannot be loaded, or its vectors are not finite.
        """
        if not calls:
            return []
        texts = [call.text.encode("utf-8", "replace").decode() for call in calls]  # tokenizers refuse lone surrogates
        self.cut += self._full(texts)
        rows: NDArray[np.float32] = self._model.encode(
            texts,
            batch_size=1 if self._model.device.type == "cpu" else _ROWS,
            show_progress_bar=False,
            normalize_embeddings=True,
        )
        if not np.isfinite(rows).all():
            raise ModelError(f"embedder {self.name}: the model gave a vector that is not finite; are its files whole?")
        return [Vector(row.astype("<f4").tobytes()) for row in rows]

    def _full(self, texts: list[str]) -> int:
        """How many of the texts fill the longest input; 0 where the model does not pad, so has no such limit."""
        mask = self._model.preprocess(texts).get("attention_mask")
        return 0 if mask is None else sum(tokens == self._model.max_seq_length for tokens in mask.sum(dim=1).tolist())

    @cached_property
    def _model(self) -> SentenceTransformer:
        with _quiet():
            from sentence_transformers import SentenceTransformer

            try:
                return SentenceTransformer(
                    str(self._folder),
                    device=None if self._device == "auto" else self._device,
                    local_files_only=True,
                    model_kwargs={"use_safetensors": True},
                ).eval()
            except Exception as error:  # whatever the library raises means that it cannot read the folder
                raise ModelError(
                    f"embedder {self._folder}: sentence-transformers cannot load it: {type(error).__name__}: {error}"
                ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' progress bars and warnings off stderr while they load."""
    from transformers.utils import logging as chatter

    own = logging.getLogger("sentence_transformers")
    levels, bars = (chatter.get_verbosity(), own.level), chatter.is_progress_bar_enabled()
    chatter.set_verbosity(logging.ERROR)
    chatter.disable_progress_bar()  # type: ignore[no-untyped-call]
    own.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        chatter.set_verbosity(levels[0])
        own.setLevel(levels[1])
        if bars:
            chatter.enable_progress_bar()  # type: ignore[no-untyped-call]
