"""What a command will take, asking no model and no server: its plan, and how tokens are counted for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vsgen.backends.endpoint.facts import served_facts
from vsgen.backends.here import model_is_here
from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.jobs.generate import Generation
from vsgen.jobs.label import Labelling
from vsgen.jobs.plan import Plan, counting
from vsgen.template.warnings.warning import Use
from vsgen.values import ModelFacts

if TYPE_CHECKING:
    from vsgen.jobs.wanted import Wanted


def estimated(task: Generation | Labelling) -> Plan:
    """The plan of a command that is ready to be carried out.

    Tokens are counted by the tokenizer of a model that is on this machine, else by characters.

    Raises:
        UserError: Its first rows cannot be used.
        ModelError: The tokenizer cannot be read.
    """
    facts, use = _reading(task.models)
    return task.plan(facts, use) if isinstance(task, Generation) else task.plan(use)


def _reading(models: Wanted) -> tuple[ModelFacts | None, Use]:
    name = models.asked
    if (service := models.services.get(name)) is not None:
        return served_facts(service.target), Use()
    if not model_is_here(name):
        return None, Use()
    reader = open_tokenizer(name, local=True)
    return reader.facts(), counting(reader, Use())
