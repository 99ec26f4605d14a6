"""The gate of a run: in the order of the draws, what is new is admitted until enough is kept.

It is what the draws of a run share: the index of what was kept and the quota of what is wanted. Draws come to it in
order, all that have come one after the other as one group, so the outcome depends on their order and not on their speed
or on how they are grouped.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from vsgen.flow import Flow, in_turn, try_all
from vsgen.flows.valid import Rejection
from vsgen.values import Candidate, Embed, Refused, Vector

if TYPE_CHECKING:  # a template that is only checked compares nothing, and numpy takes a while to load
    from vsgen.dedup.index import Index, Twin


@dataclass(slots=True)
class Quota:
    """How many records are wanted in all, and how many there are."""

    limit: int | None
    taken: int = 0

    @property
    def full(self) -> bool:
        """Whether no more are wanted."""
        return self.limit is not None and self.taken >= self.limit


class _Text(NamedTuple):
    """What one candidate is compared by."""

    name: str
    text: str
    vector: Vector | None


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

    def sift(
        self, ids: Sequence[str], candidates: Sequence[Candidate], rejections: Container[int]
    ) -> Flow[dict[int, Rejection]]:
        """Wait for one's turn, then keep what is new and wanted; returns what is not.

        Args:
            ids: Of the candidates, by which later repeats name their twins.
            candidates: Of one draw.
            rejections: The numbers of those that are out already.
        """
        texts = {i: self._compared(one) for i, one in enumerate(candidates) if i not in rejections}
        vectors, refused = yield from self._embed(list(texts.values()))
        out = {i: refused[text] for i, text in texts.items() if text in refused}
        compared = {i: text for i, text in texts.items() if i not in out}
        draw = [_Text(ids[i], text, vectors.get(text)) for i, text in compared.items()]
        verdicts: Sequence[Rejection | None] = yield from in_turn(self, draw)
        return out | {i: rejection for i, rejection in zip(compared, verdicts, strict=True) if rejection}

    def admit(self, group: Sequence[Sequence[_Text]]) -> Sequence[Sequence[Rejection | None]]:
        """Which candidates of several draws are out, in the order of the draws; the others are kept.

        Once enough are kept, what the index took in after that does not matter: all that comes later is surplus.
        """
        every = [one for draw in group for one in draw]
        twins = iter(self._twins(every))
        return [[self._rejection(next(twins)) for _ in draw] for draw in group]

    def _embed(self, texts: Sequence[str]) -> Flow[tuple[dict[str, Vector], dict[str, Rejection]]]:
        """The vectors of texts that may be new, and why some have none; one that equals a kept text needs none."""
        if self._index is None:
            return {}, {}
        new = [text for text in dict.fromkeys(texts) if not self._index.seen(text)]
        answers = dict(zip(new, (yield from try_all([Embed(text) for text in new])), strict=True))
        refused = {text: one for text, one in answers.items() if isinstance(one, Refused)}
        why = {text: Rejection("refused", f"cannot be embedded: {one.problem}") for text, one in refused.items()}
        return {text: one for text, one in answers.items() if isinstance(one, Vector)}, why

    def _twins(self, every: Sequence[_Text]) -> Sequence[Twin | None]:
        if self._index is None or self._quota.full or not every:
            return [None] * len(every)
        names, texts, vectors = zip(*every, strict=True)
        return self._index.admit_all(names, texts, vectors)

    def _rejection(self, twin: Twin | None) -> Rejection | None:
        if self._quota.full:
            return Rejection("surplus", "enough records were kept before this one")
        if twin:
            return Rejection("duplicate", twin.stage, twin=twin.name, similarity=twin.similarity)
        self._quota.taken += 1
        return None

    def _compared(self, candidate: Candidate) -> str:
        return "\n".join(str(candidate.fields[name]) for name in self._on)
