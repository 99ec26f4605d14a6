"""The commands in the order in which a user comes to them; each is imported when it is named."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple, cast

import typer
from typer.core import TyperCommand


class Entry(NamedTuple):
    """A command that is not imported yet."""

    place: str
    """Its module and function."""
    summary: str
    """The first sentence of its help."""


MENU: Final[Mapping[str, Mapping[str, Entry]]] = {
    "Write a template": {
        "init": Entry("templates:init", "Start a template of your own."),
        "check": Entry("check:check", "Check a template and show what it asks."),
        "try": Entry("trial:try_", "Make one draw and show all of it."),
        "templates": Entry("templates:templates", "List the shipped templates, or print one."),
        "schema": Entry("templates:schema", "Print the JSON Schema of templates, for editors."),
    },
    "Make rows": {
        "run": Entry("run:run", "Generate rows from a template."),
        "label": Entry("label:label", "Add soft labels to rows you have."),
        "export": Entry("export:export", "Export rows for a trainer."),
    },
    "Test a model": {
        "doctor": Entry("doctor:doctor", "Show versions and devices, or test what a model or a server can do."),
        "measure": Entry("measure:measure", "Measure a model on prompts whose answer distribution is known."),
        "targets": Entry("targets:targets", "Make training rows from known distributions."),
    },
}
"""Heading of ``vsgen --help`` to the commands below it."""
ENTRIES: Final[Mapping[str, Entry]] = {name: entry for group in MENU.values() for name, entry in group.items()}


def command(name: str) -> TyperCommand:
    """Import a command.

    Raises:
        KeyError: There is no command of this name.
    """
    from vsgen.cli.commands import Command
    from vsgen.cli.grouped import grouped

    module, _, function = ENTRIES[name].place.partition(":")
    called: Any = getattr(import_module(f"vsgen.cli.{module}"), function)
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name, cls=Command, add_help_option=False)(grouped(called))
    return cast(TyperCommand, typer.main.get_command(alone))
