"""A task, carried out without a shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vsgen.jobs.carry import Carried
from vsgen.jobs.counts import Counts
from vsgen.jobs.task import Task


def carried_out(
    task: Task[Any, Any], *, unfinished: int = 4096, warn: Callable[[str], None] = lambda _: None
) -> Counts:
    """What was counted in the end."""
    carried = Carried(task, warn=warn, unfinished=unfinished)
    for _ in carried:
        pass
    return carried.counts
