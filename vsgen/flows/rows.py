"""What each candidate ends as: a record, or a reject that says why it is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from vsgen.dedup.merge import Merged
from vsgen.flows.token_logprobs import UNTAUGHT
from vsgen.flows.valid import Rejection
from vsgen.values import Lesson, Malformed, Record, Rejected, SoftLabel, Unlabelled


def record(
    name: str,
    merged: Merged,
    labels: Mapping[str, SoftLabel | Unlabelled],
    common: Mapping[str, object],
    lesson: Lesson | str | None = None,
) -> Record:
    """The record of a candidate.

    Args:
        name: Its id.
        merged: The candidate, with the weight of its repeats.
        labels: Its own and the draw's.
        common: What the meta of all records of the draw says.
        lesson: What a student is taught; or why there is nothing, which the meta then says.
    """
    candidate, count = merged
    if isinstance(lesson, str):
        details = {**candidate.details, UNTAUGHT: lesson}
        return record(
            name, Merged(replace(candidate, flags=(*candidate.flags, UNTAUGHT), details=details), count), labels, common
        )
    meta = {**common, "merged": count}
    if "verbalized" in common:
        meta["verbalized"] = candidate.verbalized
    optional = {"logp": candidate.logp, "reasoning": candidate.reasoning, "flags": list(candidate.flags) or None}
    meta |= {key: value for key, value in optional.items() if value is not None} | dict(candidate.details)
    return Record(name, candidate.fields, candidate.weight, labels, meta, lesson)


def flags(kept: Record) -> Sequence[str]:
    """What was odd about a record's candidate, or mended."""
    found = kept.meta.get("flags")
    return found if isinstance(found, list) else ()


def rejected(unkept: Record, rejection: Rejection) -> Rejected:
    """The reject that a candidate's record becomes."""
    reason, detail, clause, twin, similarity = rejection
    return Rejected(unkept, reason, detail, clause=clause, twin=twin, similarity=similarity)


def malformed(name: str, lost: Malformed, common: Mapping[str, object]) -> Rejected:
    """The reject of a reply without any candidate, of an answer that is not whole, or of a reply that was refused."""
    if lost.refused is not None:
        return Rejected(Record(name, {}, lost.weight, {}, common), "refused", lost.problem)
    meta = {**common, "verbalized": lost.verbalized} if "verbalized" in common else common
    return Rejected(Record(name, {}, lost.weight, {}, meta), "malformed", lost.problem, raw=lost.raw)


def within(ids: Sequence[str], rejections: Mapping[int, Rejection]) -> dict[int, int]:
    """Repeats whose twin is of the same draw, and that twin."""
    numbers = {name: i for i, name in enumerate(ids)}
    return {i: numbers[one.twin] for i, one in rejections.items() if one.twin in numbers}
