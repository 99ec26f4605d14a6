"""Which model a command asks: the one that the user names, else the template's; never one that nobody chose."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from vsgen.errors import OptionError
from vsgen.template.load import GIVEN
from vsgen.template.schema import Template

if TYPE_CHECKING:
    from vsgen.jobs.desk import ModelChoice

_MODEL: Final = "-m ID"
_REMEDY: Final = (
    "(ID is a Hugging Face id, a folder or a GGUF file); use -m tiny only to try the plumbing: its rows are a toy's"
)


def asked(choice: ModelChoice, template: Template) -> str:
    """The name of the model that writes a template's rows.

    Raises:
        OptionError: Neither the user nor the template names one; shows the command that does.
    """
    source = template.source
    shown = shlex.quote(source) if source.isprintable() else "TEMPLATE"
    return chosen(choice, template.model, source, _MODEL if source == GIVEN else f"vsgen try {shown} {_MODEL}")


def chosen(choice: ModelChoice, named: str | None, where: str, remedy: str = _MODEL) -> str:
    """The name of the model that a command asks.

    Args:
        choice: What the user names.
        named: What a template names.
        where: What messages call the command, or the template.
        remedy: What names a model.

    Raises:
        OptionError: Neither names one.
    """
    if name := choice.name or named:
        return name
    raise OptionError(f"{where}: name a model: {remedy} {_REMEDY}")
