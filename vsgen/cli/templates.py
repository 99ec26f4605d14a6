"""``vsgen templates``, ``vsgen init`` and ``vsgen schema``: where templates come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from vsgen.cli.console import say
from vsgen.cli.printed import show


def templates(
    name: Annotated[str | None, typer.Argument(help="Print this one.")] = None,
) -> None:
    """List the shipped templates, or print one."""
    from vsgen.template.catalog import describe
    from vsgen.template.load import template_text

    if name is not None:
        show(template_text(name), end="")
        return
    for shipped, entry in describe().items():
        show(f"{shipped:18} {entry.model:6} {entry.description}")
    say(
        "tiny: works offline with the embedded model, a toy trained on a grammar (see vsgen/tiny/README.md); "
        "-m names a real model instead"
    )


def init(
    file: Annotated[Path, typer.Argument(help="The template to write.")] = Path("template.yaml"),
    template: Annotated[str, typer.Option("--from", metavar="NAME", help="The shipped template to start from.")] = (
        "support-tickets"
    ),
) -> None:
    """Start a template of your own from a shipped one."""
    from vsgen.errors import OptionError, OutputError
    from vsgen.template.load import template_text

    text = template_text(template)
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise OptionError(f"{file}: exists; name another file") from None
    except OSError as error:
        raise OutputError(f"{file}: cannot be written: {error.strerror}; name another file") from error
    say(f"vsgen: wrote {file}; edit it, then: vsgen check {file}")


def schema() -> None:
    """Print the JSON Schema of templates, for editors."""
    from vsgen.template.schema import json_schema

    show(json.dumps(json_schema(), indent=2))
