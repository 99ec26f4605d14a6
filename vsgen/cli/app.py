"""The command line. Nothing heavy is imported before a command runs, and no command before it is named."""

from __future__ import annotations

from typing import Annotated

import typer

from vsgen import __version__
from vsgen.cli.commands import Commands
from vsgen.cli.page import HELP
from vsgen.cli.printed import show

app = typer.Typer(
    name="vsgen",
    cls=Commands,
    add_completion=False,
    add_help_option=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        show(f"vsgen {__version__}")
        raise typer.Exit


def _install(context: typer.Context, option: typer.CallbackParam, wanted: bool) -> None:
    if wanted:
        from vsgen.cli.shells import install

        install(context, option)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    install_completion: Annotated[
        bool,
        typer.Option(
            "--install-completion",
            callback=_install,
            is_eager=True,
            help="Complete commands, options, templates and models with Tab (bash, zsh, fish).",
        ),
    ] = False,
    help: HELP = False,
) -> None:
    """Synthetic data from YAML templates: many different, weighted, deduplicated and labeled rows, as JSONL.

    Examples:
        vsgen init reviews
        vsgen try reviews.yaml -m Qwen/Qwen2.5-1.5B-Instruct
        vsgen run reviews.yaml -m Qwen/Qwen2.5-1.5B-Instruct -n 500 -o reviews.jsonl
    """
