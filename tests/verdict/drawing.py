"""Finished draws, as the pipeline hands them out."""

from __future__ import annotations

from collections.abc import Sequence

from vsgen.flows.draw import Outcome
from vsgen.sampling.reply_stats import ReplyStats
from vsgen.template.schema import Template
from vsgen.values import Reason, Record, Rejected, SoftLabel


def template(**sections: object) -> Template:
    """A small template."""
    return Template.model_validate({"version": 1, "name": "days", "prompt": "Name a day."} | sections)


def record(text: str = "Monday", mass: float | None = None, good: float = 0.5) -> Record:
    """A row, with a label where its mass is given."""
    labels = {} if mass is None else {"mood": SoftLabel({"good": good, "bad": 1 - good}, 0.69, 0.0, mass)}
    return Record("days/000000.0", {"text": text}, 1.0, labels, {})


def reject(reason: Reason, text: str = "Monday", clause: str | None = None) -> Rejected:
    """A candidate that did not become a row."""
    return Rejected(record(text), reason, clause=clause)


def outcome(
    kept: Sequence[Record] = (), rejected: Sequence[Rejected] = (), replies: Sequence[ReplyStats] | None = None
) -> Outcome:
    """A draw of one reply, unless replies are given."""
    every = len(kept) + len(rejected)
    read = (ReplyStats(every),) if replies is None else tuple(replies)
    return Outcome(tuple(kept), tuple(rejected), every, replies=read)
