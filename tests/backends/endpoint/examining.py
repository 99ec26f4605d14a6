"""A whole examination of a server as one dialog, which a test moves by hand; a command moves its parts side by side."""

from __future__ import annotations

from collections.abc import Container

from vsgen.backends.endpoint.abilities import Examination, find_base, found, probes
from vsgen.backends.endpoint.wire import Wire


def examine(wire: Wire, model: str, only: Container[str] | None = None) -> Examination:
    """Find out what a server can do for a model, by some twenty small requests at most.

    Args:
        wire: How it is asked.
        model: As the server names it.
        only: The abilities that matter, by their names in `Abilities`; None for all.
    """
    base = yield from find_base(wire, model, only)
    if base.problem is not None:
        return base
    made = probes(wire, model, base.can, only)
    seen = []
    for probe in made:
        seen.append((yield from probe))
    return found(base.can, seen)
