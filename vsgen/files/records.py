"""Records and rejects as the JSON objects of a line."""

from __future__ import annotations

from collections.abc import Mapping

from vsgen.values import Record, Rejected, SoftLabel, Unlabelled

_DIGITS = 6
"""Significant digits of probabilities."""


def record_line(record: Record, *, meta: bool = True) -> dict[str, object]:
    """The JSON object of a record, in the order in which people read it."""
    line: dict[str, object] = {"id": record.id, **record.fields, "probability": _round(record.probability)}
    if record.labels:
        line["labels"] = {name: label_line(label) for name, label in record.labels.items()}
    if meta:
        line["meta"] = record.meta
    return line


def label_line(label: SoftLabel | Unlabelled) -> object:
    """The JSON object of a label: its probabilities first, and only what is known."""
    if isinstance(label, Unlabelled):
        return {"probs": None, "problem": label.problem}
    line: dict[str, object] = {"probs": label.probs, "entropy": label.entropy, "margin": label.margin}
    optional = {"label_mass": label.label_mass, "disagreement": label.disagreement}
    return _round(line | {key: value for key, value in optional.items() if value is not None} | dict(label.details))


def rejected_line(rejected: Rejected, *, meta: bool = True) -> dict[str, object]:
    """The JSON object of a reject: the record that it would have been, and why it is none."""
    why: dict[str, object] = {"reason": rejected.reason, "clause": rejected.clause, "detail": rejected.detail or None}
    why |= {"twin": rejected.twin, "similarity": rejected.similarity, "raw": rejected.raw}
    return record_line(rejected.record, meta=meta) | {key: value for key, value in why.items() if value is not None}


def _round(value: object) -> object:
    match value:
        case float():
            return float(f"{value:.{_DIGITS}g}")
        case dict() | Mapping():
            return {key: _round(inner) for key, inner in value.items()}
        case _:
            return value
