"""One thing that was looked at: whether it is well, and what to do if it is not."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

State: TypeAlias = Literal["ok", "absent", "problem"]
"""absent: something optional that is not there; problem: something that a command needs and that is not well."""


class Finding(NamedTuple):
    """What was found."""

    group: str
    """The heading under which it stands."""
    name: str
    value: str
    state: State = "ok"
    remedy: str = ""
    """What to do; empty where there is nothing to do."""
    status: int = 0
    """Of a problem: the exit status of a command that meets it; see `vsgen.errors`."""
