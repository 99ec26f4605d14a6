"""The command line: one module per command. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from typing import Annotated

import typer

from vsgen.cli.check import check
from vsgen.cli.commands import Commands
from vsgen.cli.doctor import doctor
from vsgen.cli.export import export
from vsgen.cli.grouped import grouped
from vsgen.cli.label import label
from vsgen.cli.measure import measure
from vsgen.cli.printed import show
from vsgen.cli.run import run
from vsgen.cli.targets import Targets, targets
from vsgen.cli.templates import init, schema, templates
from vsgen.cli.trial import try_

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        show(f"vsgen {version('vsgen')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Synthetic data from YAML templates: many different, weighted, de-duplicated, soft-labelled rows, as JSONL."""


for _command in (run, label, targets, measure, export, check, try_, templates, init, schema, doctor):
    _class = Targets if _command is targets else None
    app.command(_command.__name__.rstrip("_"), cls=_class)(grouped(_command))
