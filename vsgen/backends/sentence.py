"""Embeds texts with any sentence-transformers model, so that a text's bytes do not depend on its batch.

Two things tie the rows of a batch together. Attention over more positions sums in another order, so a text is batched
only with texts of its own padded length. And a matrix product of fewer than 4 rows (tokens) takes another kernel, so
lengths are padded to a multiple of 8. With both, each row is the same sum whatever stands beside it, with one thread or
two; that is measured (x86, float32), not promised by any library, so `tests/backends/test_sentence.py` holds it as a
law. It is also faster than plain encoding, which pads short texts to the longest of their batch.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vsgen.errors import ModelError
from vsgen.values import Embed, Vector

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_ROWS = 64
"""Texts per forward pass; more gains nothing on a CPU."""
_STEP = 8
"""Tokens; lengths are padded to a multiple of it."""


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
        vectors: dict[int, Vector] = {}
        for length, group in self._by_length(texts).items():
            rows = self._rows([texts[i] for i in group], length)
            vectors |= {i: Vector(row.astype("<f4").tobytes()) for i, row in zip(group, rows, strict=True)}
        return [vectors[i] for i in range(len(texts))]

    def _by_length(self, texts: Sequence[str]) -> dict[int, list[int]]:
        """Numbers of the texts by their padded length in tokens; 0 where the model does not pad at all."""
        groups: dict[int, list[int]] = defaultdict(list)
        mask = self._model.preprocess(list(texts)).get("attention_mask")
        limit = self._model.max_seq_length
        for i, tokens in enumerate([0] * len(texts) if mask is None else mask.sum(dim=1).tolist()):
            padded = -(-tokens // _STEP) * _STEP
            groups[padded if limit is None or padded <= limit else tokens].append(i)
            self.cut += tokens == limit
        return groups

    def _rows(self, texts: list[str], length: int) -> NDArray[np.float32]:
        padding: dict[str, Any] = {}
        if length and length % _STEP == 0:
            padding = {"processing_kwargs": {"text": {"pad_to_multiple_of": _STEP}}}
        rows: NDArray[np.float32] = self._model.encode(
            texts, batch_size=_ROWS, show_progress_bar=False, normalize_embeddings=True, **padding
        )
        if not np.isfinite(rows).all():
            raise ModelError(f"embedder {self.name}: the model gave a vector that is not finite; are its files whole?")
        return rows

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
