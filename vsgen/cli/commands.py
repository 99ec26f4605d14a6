"""What holds for every command: its help, and how it ends at an error, at Ctrl-C, and when nobody reads its output."""

from __future__ import annotations

import os
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from vsgen.cli.again import remember
from vsgen.cli.console import user_errors
from vsgen.cli.log import LOG
from vsgen.cli.menu import ENTRIES, command
from vsgen.cli.page import show_page
from vsgen.cli.printed import reader_may_close, show
from vsgen.cli.shell import not_resumable
from vsgen.cli.usage import no_such_command, refuse_empty_names, usage_errors
from vsgen.errors import OptionError


class Command(TyperCommand):
    """One command of vsgen."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words after the name of the command.

        Raises:
            OptionError: They cannot be read, for instance.
        """
        with usage_errors(ctx, args):
            refuse_empty_names(ctx, args)
            return super().parse_args(ctx, args)


class Commands(TyperGroup):
    """The commands of vsgen, each of which is imported when it is named."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the menu."""
        return list(ENTRIES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name; None where there is none."""
        if cmd_name in ENTRIES and cmd_name not in self.commands:
            self.commands[cmd_name] = command(cmd_name)
        return self.commands.get(cmd_name)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Parse what stands before the command; ``--help`` and ``--version`` print here."""
        remember(args)
        LOG.begin(args)
        with user_errors(), reader_may_close():
            return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words before the name of the command.

        Raises:
            OptionError: They cannot be read, for instance.
        """
        if not [word for word in args if word != "--"]:
            show_page(ctx)
            raise typer.Exit(OptionError.status)
        with usage_errors(ctx, args):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first word names, and the words after it.

        Raises:
            OptionError: There is none of this name.
        """
        name, *others = args
        found = self.get_command(ctx, name)
        if found is None and not ctx.resilient_parsing:
            raise no_such_command(name)
        return name, found, others

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        """Parse and run a command."""
        with user_errors(), not_resumable(), reader_may_close():
            return super().invoke(*args, **kwargs)

    def main(self, args: Any = None, prog_name: str | None = None, *more: Any, **extra: Any) -> Any:
        """Run the command line, or complete it for a shell that asks for that."""
        if "_VSGEN_COMPLETE" in os.environ:
            from vsgen.cli.shells import answer

            if (reply := answer(self, os.environ)) is not None:
                show(reply)
                raise SystemExit(0)
        with LOG.ended():
            return super().main(args, prog_name, *more, **extra)
