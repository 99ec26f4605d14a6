"""What each reply of a draw yielded, in the figures by which a run is judged."""

from __future__ import annotations

from dataclasses import dataclass

from vsgen.sampling.replies.items import CUT, TRUNCATED
from vsgen.values import Candidate, Distribution, Malformed


@dataclass(frozen=True, slots=True)
class ReplyStats:
    """One reply of the model, as it was read."""

    answers: int
    """Candidates in it; 0 where it could not be read."""
    stated: tuple[float, ...] = ()
    """The probabilities that it states, in its order."""
    cut: bool = False
    """It ended at `max_tokens`, before the model was done."""


def reply_stats(drawn: Distribution) -> tuple[ReplyStats, ...]:
    """The replies of one draw, in their order; what was refused is none."""
    lost = {one.reply for one in drawn.malformed if one.refused is None}
    numbers = sorted({one.reply for one in drawn.candidates} | lost)
    return tuple(_read(number, drawn) for number in numbers)


def _read(number: int, drawn: Distribution) -> ReplyStats:
    answers = [one for one in drawn.candidates if one.reply == number]
    stated = tuple(one.verbalized for one in answers if one.verbalized is not None)
    lost = [one for one in drawn.malformed if one.reply == number]
    return ReplyStats(len(answers), stated, any(map(_cut, answers)) or any(map(_lost_by_cut, lost)))


def _cut(candidate: Candidate) -> bool:
    return TRUNCATED in candidate.flags


def _lost_by_cut(lost: Malformed) -> bool:
    return lost.problem in CUT
