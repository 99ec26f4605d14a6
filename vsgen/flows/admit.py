"""The gate of a run: in the order of the draws, what is new is admitted until enough is kept.

It is what the draws of a run share: the index of what was kept and the quota of what is wanted. A draw touches them
only in its turn, so the outcome depends on the order of the draws and not on their speed.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from vsgen.dedup.index import Index
from vsgen.flow import Flow, ask_all, in_order
from vsgen.flows.valid import Refusal
from vsgen.values import Candidate, Embed, Vector


@dataclass(slots=True)
class Quota:
    """How many records are wanted in all, and how many there are."""

    limit: int | None
    taken: int = 0

    @property
    def full(self) -> bool:
        """Whether no more are wanted."""
        return self.limit is not None and self.taken >= self.limit


class Gate:
    """Where repeats and surplus end."""

    def __init__(self, index: Index | None, quota: Quota, on: Sequence[str]) -> None:
        """Set up.

        Args:
            index: Of the texts that were kept; None keeps repeats.
            quota: Of records.
            on: The fields that are compared.
        """
        self._index = index
        self._quota = quota
        self._on = on

    def admit(
        self, ids: Sequence[str], candidates: Sequence[Candidate], refused: Container[int]
    ) -> Flow[dict[int, Refusal]]:
        """Wait for one's turn, then keep what is new and wanted; returns what is not.

        Args:
            ids: Of the candidates, by which later repeats name their twins.
            candidates: Of one draw.
            refused: The numbers of those that are out already.
        """
        texts = {i: self._compared(one) for i, one in enumerate(candidates) if i not in refused}
        vectors = yield from self._embed(list(texts.values()))
        yield from in_order()
        return {i: refusal for i, text in texts.items() if (refusal := self._refusal(ids[i], text, vectors.get(text)))}

    def _embed(self, texts: Sequence[str]) -> Flow[dict[str, Vector]]:
        """The vectors of texts that may be new; a text that equals a kept one will not need its own."""
        if self._index is None:
            return {}
        new = [text for text in dict.fromkeys(texts) if not self._index.seen(text)]
        vectors = yield from ask_all([Embed(text) for text in new])
        return dict(zip(new, vectors, strict=True))

    def _refusal(self, name: str, text: str, vector: Vector | None) -> Refusal | None:
        if self._quota.full:
            return Refusal("surplus", "enough records were kept before this one")
        twin = None if self._index is None else self._index.admit(name, text, vector)
        if twin:
            return Refusal("duplicate", twin.stage, twin=twin.name, similarity=twin.similarity)
        self._quota.taken += 1
        return None

    def _compared(self, candidate: Candidate) -> str:
        return "\n".join(str(candidate.fields[name]) for name in self._on)
