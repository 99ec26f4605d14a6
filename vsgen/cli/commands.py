"""What holds for every command: how it ends at an error, at Ctrl-C, and when nobody reads its output any more."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

from vsgen.cli.again import remember
from vsgen.cli.console import usage_errors, user_errors
from vsgen.cli.printed import reader_may_close
from vsgen.cli.shell import not_resumable


class Commands(TyperGroup):
    """The commands of vsgen."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Parse what stands before the command; ``--help`` and ``--version`` print here."""
        remember(args)
        with reader_may_close(), usage_errors():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        """Parse and run a command."""
        with user_errors(), not_resumable(), reader_may_close(), usage_errors():
            return super().invoke(*args, **kwargs)
