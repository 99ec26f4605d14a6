"""A row of ``vsgen label`` as it is written: a row of the output, or a reject where it is not among those selected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vsgen.jobs.counts import UNLABELLED
from vsgen.jobs.label_rows import How, Labelled, row_line, soft
from vsgen.jobs.task import Made
from vsgen.values import SoftLabel, Unlabelled

_UNSELECTED: Final = "filter"
TRUNCATED: Final = "text-cut"
"""The flag of a label whose text was cut."""
ESTIMATED: Final = "estimated"
"""The flag of a label from a server that lists only the most probable tokens."""


def written(
    labelled: Labelled, how: How | None, *, first: str, chosen: bool, waited: bool, notes: Sequence[str] = ()
) -> Made[Labelled]:
    """What becomes of a row.

    Args:
        labelled: The row, its labels corrected.
        how: What it says of how its labels were made, if anything.
        first: The label by which rows are selected.
        chosen: It is among those selected.
        waited: It was counted before, when it had to wait.
        notes: What to tell the user with it.
    """
    line = row_line(labelled, how)
    detail = "has no label to be selected by" if soft(labelled, first) is None else "not among the selected share"
    lacking = {name: one.problem for name, one in labelled.labels.items() if isinstance(one, Unlabelled)}
    new = 0 if waited else 1
    return Made(
        rows=[line] if chosen else [],
        rejects=[] if chosen else [{**line, "reason": _UNSELECTED, "detail": detail}],
        values=[labelled] if chosen else [],
        units=new,
        candidates=new,
        waiting=new - 1,
        replies=labelled.replies * new,
        tokens=labelled.tokens * new,
        flags=[UNLABELLED] * len(lacking) + [*filter(None, map(_flag, labelled.labels.values()))],
        problems=[f"{labelled.row.where}: label {name}: {problem}" for name, problem in lacking.items()],
        notes=notes,
    )


def _flag(label: SoftLabel | Unlabelled) -> str | None:
    """What is reported of a label that is not exact."""
    if isinstance(label, Unlabelled) or not label.details.get("truncated"):
        return None
    return ESTIMATED if "bounds" in label.details else TRUNCATED
