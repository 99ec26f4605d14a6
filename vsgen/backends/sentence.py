"""Embeds texts with any sentence-transformers model, so that on a CPU a text's bytes do not depend on its batch.

A matrix product picks its kernel, and with it the order of its sums, by the machine and by the number of rows: what
stands beside a text in a batch can change its last bits. On a CPU texts of the same number of tokens go together,
without padding, on one thread and only where that gave the same bits as each text alone when it was first tried; all
others are a batch of their own, at half the speed. On a GPU, where one text at a time would waste nearly all of it,
texts go together as they come, and there the law does not hold.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsgen.errors import ModelError
from vsgen.values import Embed, Vector

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from vsgen.backends.chat.control import Control

_ROWS = 64
"""Texts per forward pass on a GPU."""
_ROWS_CPU = 16
"""Texts of the same length per forward pass on a CPU."""
_TRIED = range(4, 65)
"""Tokens of the texts that may go together on a CPU. With all-MiniLM-L6-v2 each of these lengths was tried; two or
three tokens have other bits together, and longer texts gain little."""
_WORDS = (2, 9, 28)
"""Lengths, in words of one letter, on which a model is tried once."""


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
        self._spelled = False
        """A text spelled a control token, and the tokenizer reads it as text."""
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
        self._read_as_text(texts)
        lengths = self._lengths(texts)
        self.cut += sum(tokens == self._model.max_seq_length for tokens in lengths)
        if self._model.device.type == "cpu":
            with _one_thread():
                rows = self._side_by_side(texts, lengths)
        else:
            rows = self._encode(texts, _ROWS)
        if not all(np.isfinite(row).all() for row in rows):
            raise ModelError(f"embedder {self.name}: the model gave a vector that is not finite; check its files")
        return [Vector(row.astype("<f4").astype("<f2").tobytes()) for row in rows]

    def remarks(self) -> Sequence[str]:
        """How many texts so far spelled its control tokens, which it read as text."""
        remark = self._control.remark(f"embedder {self.name}") if self._spelled and self._control else None
        return [remark] if remark else []

    def _read_as_text(self, texts: Sequence[str]) -> None:
        """Once a text spells a control token, as ``[SEP]``, let the tokenizer find none; other texts stay the same."""
        control = self._control
        if control is not None and any([control.spelled(text) for text in texts]) and not self._spelled:
            from vsgen.backends.hf.renamed import renamed

            vars(self._model.tokenizer).update(vars(renamed(self._model.tokenizer, control.names)))
            self._spelled = True

    @cached_property
    def _control(self) -> Control | None:
        """The tokenizer's control tokens; None where it is no tokenizer of transformers."""
        from transformers import PreTrainedTokenizerBase

        from vsgen.backends.chat.control import Control
        from vsgen.backends.hf.tokenizer import HfTokenizer

        tokenizer = self._model.tokenizer
        return Control(HfTokenizer(tokenizer)) if isinstance(tokenizer, PreTrainedTokenizerBase) else None

    def _lengths(self, texts: list[str]) -> list[int]:
        """Each text's tokens; -1 where the model does not pad, so has no longest input either."""
        mask = self._model.preprocess(texts).get("attention_mask")
        return [-1] * len(texts) if mask is None else mask.sum(dim=1).tolist()

    def _side_by_side(self, texts: list[str], lengths: list[int]) -> list[NDArray[np.float32]]:
        """The vectors of texts, those of the same length together where that does not change a bit."""
        places: dict[int, list[int]] = defaultdict(list)
        several = {tokens for tokens, count in Counter(lengths).items() if count > 1 and tokens in _TRIED}
        for i, tokens in enumerate(lengths):
            places[tokens if tokens in several and self._same_bits else -1].append(i)
        rows: dict[int, NDArray[np.float32]] = {}
        for tokens, group in places.items():
            found = self._encode([texts[i] for i in group], _ROWS_CPU if tokens > 0 else 1)
            rows.update(zip(group, found, strict=True))
        return [rows[i] for i in range(len(texts))]

    def _encode(self, texts: list[str], size: int) -> list[NDArray[np.float32]]:
        rows = self._model.encode(texts, batch_size=size, show_progress_bar=False, normalize_embeddings=True)
        return list(rows)

    @cached_property
    def _same_bits(self) -> bool:
        """Whether texts of the same length have the same bits together as alone, on this machine: a sample is tried."""
        by_length: dict[int, list[str]] = defaultdict(list)
        texts = [f"{letter} " * words for words in _WORDS for letter in "abcd"]
        for text, tokens in zip(texts, self._lengths(texts), strict=True):
            by_length[tokens].append(text)
        return all(self._agree(group[:size]) for group in by_length.values() for size in (2, len(group)))

    def _agree(self, texts: list[str]) -> bool:
        alone, together = self._encode(texts, 1), self._encode(texts, len(texts))
        return all(np.array_equal(one, two) for one, two in zip(alone, together, strict=True))

    @cached_property
    def _model(self) -> SentenceTransformer:
        from vsgen.backends.hf.quiet import offline

        with offline(), _quiet():
            from sentence_transformers import SentenceTransformer

            from vsgen.backends.hf.device import pick_device
            from vsgen.backends.hf.folder import check_config

            device = None if self._device == "auto" else str(pick_device(self._device))
            check_config(self._folder)
            try:
                return SentenceTransformer(
                    str(self._folder),
                    device=device,
                    local_files_only=True,
                    model_kwargs={"use_safetensors": True},
                ).eval()
            except Exception as error:  # whatever the library raises means that it cannot read the folder
                raise ModelError(
                    f"embedder {self._folder}: sentence-transformers cannot load it: {type(error).__name__}: {error}"
                ) from error


def _one_thread() -> AbstractContextManager[None]:
    """How a sum is parted among threads changes its last bits."""
    from vsgen.backends.threads import computing

    return computing(alone=True)


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
