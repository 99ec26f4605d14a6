"""Which models a command may fetch: those that the command line names. What only a template names must be here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from vsgen.backends.here import embedder_is_here, model_is_here
from vsgen.backends.model_name import name_problem
from vsgen.errors import TemplateError
from vsgen.template.messages import show
from vsgen.template.schema import Template

if TYPE_CHECKING:
    from vsgen.jobs.wanted import Wanted

_LONGEST = 200
"""Characters of a name that a message has as it is."""
_SERVED = "; or, if a server has it, name that beside it: endpoint: run (the run's own) or endpoint: URL"
_FETCHED = "is not on this machine, and a template alone may not have it downloaded"


def kept_local(wanted: Wanted, template: Template | None) -> Wanted:
    """The same models, with those that only the template names opened from this machine alone.

    Args:
        wanted: What the command opens.
        template: Where its names may come from; None has none.

    Raises:
        TemplateError: One of them is not on this machine.
    """
    if template is None:
        return wanted
    choice = wanted.choice
    local = {one.name for one in template.named} - {choice.name, *choice.allow}
    opened = {*wanted.judges, wanted.asked, wanted.embedder} - wanted.services.keys()
    for name, problem in absent(template):
        if name in local & opened:
            raise TemplateError(problem + (_SERVED if wanted.services else ""))
    return replace(wanted, local=frozenset(local))


def absent(template: Template) -> Iterator[tuple[str, str]]:
    """The models that a template names and that are not on this machine, each with the problem that this is."""
    for where, name in template.named:
        embeds = where.endswith("embedder")
        if not (embedder_is_here if embeds else model_is_here)(name):
            shown = name if name.isprintable() and len(name) <= _LONGEST else show(name)
            why = None if embeds else name_problem(name)
            yield name, f"{where}: {shown}: {why}" if why else f"{where}: {shown} {_FETCHED}; add --allow-model {shown}"
