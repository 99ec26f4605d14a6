"""Which model a command asks: the one that the user names, else the template's; never one that nobody chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vsgen.backends.here import SHIPPED
from vsgen.errors import OptionError
from vsgen.template.schema import Template

if TYPE_CHECKING:
    from vsgen.jobs.wanted import ModelChoice

_MODEL: Final = "-m ID, or export VSGEN_MODEL=ID"
_REMEDY: Final = (
    "(ID is a Hugging Face id, a folder or a GGUF file; with --endpoint URL, a name on that server); "
    "use -m tiny only to try the plumbing: its rows are a toy's"
)


def asked(choice: ModelChoice, template: Template) -> str:
    """The name of the model that writes a template's rows.

    Raises:
        OptionError: Neither the user nor the template names one.
    """
    return chosen(choice, template.model, template.source)


def chosen(choice: ModelChoice, named: str | None, where: str) -> str:
    """The name of the model that a command asks.

    Args:
        choice: What the user names.
        named: What a template names.
        where: What messages call the command, or the template.

    Raises:
        OptionError: Neither names one.
    """
    served = choice.server is not None and choice.server.flagged
    if name := choice.name or (None if served and named in SHIPPED else named):
        return name
    if served:
        raise OptionError("--endpoint: name the model as the server calls it, with -m NAME")
    raise OptionError(f"{where}: name a model: {_MODEL} {_REMEDY}")
