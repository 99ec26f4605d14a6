"""The embedded model as a `LanguageModel`: numpy computes; the loop is `decoding`, prompts are read by `chat`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from vsgen.backends.chat.reader import Reader
from vsgen.backends.chat.spell import Speller
from vsgen.backends.decoding.decode import Decoder
from vsgen.backends.decoding.grammar import Grammars
from vsgen.backends.decoding.parts import Limits, Parts
from vsgen.backends.decoding.queue import drawn
from vsgen.backends.decoding.score import score
from vsgen.backends.decoding.spare import Sparing
from vsgen.backends.decoding.teach import teach
from vsgen.backends.identity import own_name
from vsgen.backends.numeric.network import Network
from vsgen.backends.numeric.tokenizer import PlainTokenizer
from vsgen.ports import Queue
from vsgen.values import Completion, Generate, ModelFacts, Prompt, Score, Scores, Taught, Teach

_ROWS: Final = 32
_TOKENS: Final = 1 << 16
"""In the cache: 512 MiB."""
_FORWARD: Final = 4096


class NumpyModel:
    """The embedded model."""

    def __init__(self, folder: Path, *, name: str, batch: int | None = None) -> None:
        """Open a folder that `save_pretrained` wrote of a plain Llama with tied embeddings and a chat template."""
        tokenizer: Any = PlainTokenizer(folder)
        network = Network(folder)
        ends = (tokenizer.eos_token_id,)
        reader = Reader(tokenizer, ends)
        self._name = own_name(str(folder), name, None)
        self._limits = Limits(rows=batch or _ROWS, tokens=_TOKENS, forward=_FORWARD)
        self._parts = Parts(network, tokenizer, reader, Grammars(tokenizer, network.vocabulary, ends), ends)
        self._parameters = network.parameters

    @property
    def name(self) -> str:
        """The name, and what tells these weights from others."""
        return self._name

    def generate(self, calls: Sequence[Generate]) -> Sequence[Completion]:
        """Draw one completion per call, in the order of the calls."""
        return drawn(self.decoder(), calls)

    def score(self, calls: Sequence[Score]) -> Sequence[Scores]:
        """Score all choices of each call, in the order of the calls."""
        with self._parts.network.computing():
            return score(self._parts, self._limits, calls)

    def teach(self, calls: Sequence[Teach]) -> Sequence[Taught]:
        """The distributions along each call's answer, in the order of the calls."""
        with self._parts.network.computing():
            return teach(self._parts, self._limits, calls)

    def facts(self) -> ModelFacts:
        """What the model is."""
        return ModelFacts(
            parameters=self._parameters,
            vocabulary=self._parts.network.vocabulary,
            context=self._parts.network.context,
            dtype="float64",
            device="cpu",
            chat=True,
            system=self._parts.reader.takes_system(),
            embedded=True,
        )

    def render(self, prompt: Prompt) -> str:
        """The prompt as the model reads it."""
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


def speller(folder: Path, *, name: str) -> Speller:
    """The tokenizer of such a folder alone."""
    tokenizer: Any = PlainTokenizer(folder)
    return Speller(tokenizer, name, lambda: Network(folder).parameters)
