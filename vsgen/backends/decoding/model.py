"""A language model over our decoding loop, whichever library does its arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from vsgen.backends.decoding.decode import Decoder
from vsgen.backends.decoding.parts import Limits, Parts
from vsgen.backends.decoding.queue import drawn
from vsgen.backends.decoding.score import Scorer
from vsgen.backends.decoding.spare import Sparing
from vsgen.backends.decoding.teach import teach
from vsgen.ports import Queue
from vsgen.values import Completion, Generate, ModelFacts, Prompt, Score, Scores, Taught, Teach


class BatchedModel:
    """An opened model, whose calls are computed side by side."""

    def __init__(self, name: str, parts: Parts, limits: Limits, facts: ModelFacts) -> None:
        """Put together.

        Args:
            name: What the model is called, and what tells its weights from others.
            parts: What it consists of.
            limits: How much of it may run at once.
            facts: What it is.
        """
        self._name = name
        self._parts = parts
        self._limits = limits
        self._facts = facts
        self._scorer = Scorer(parts, limits)

    @property
    def name(self) -> str:
        """The model's name, and what tells these weights from others."""
        return self._name

    def generate(self, calls: Sequence[Generate]) -> Sequence[Completion]:
        """Draw one completion per call, in the order of the calls.

        Raises:
            CallError: A call is refused.
        """
        return drawn(self.decoder(), calls)

    def score(self, calls: Sequence[Score]) -> Sequence[Scores]:
        """Score all choices of each call, in the order of the calls."""
        with self._parts.network.computing():
            return self._scorer.score(calls)

    def teach(self, calls: Sequence[Teach]) -> Sequence[Taught]:
        """The distributions along each call's answer, in the order of the calls."""
        with self._parts.network.computing():
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
