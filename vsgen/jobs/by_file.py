"""What a command does by batch files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vsgen.backends.endpoint.wire import Abilities


@dataclass(frozen=True, slots=True)
class ByFile:
    """What a command does by file."""

    emit: Path | None = None
    """Where calls go that have no answer; None has them answered over HTTP."""
    ingest: Sequence[Path] = ()
    """Files of results."""
    overwrite: bool = False
    """Replace `emit`; else the first name that is free is taken."""
    can: Abilities | None = None
    """What servers can do; None where nobody says."""
