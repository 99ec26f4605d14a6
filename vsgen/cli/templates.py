"""``vsgen templates``, ``vsgen init`` and ``vsgen schema``: where templates come from."""

from __future__ import annotations

import json
import shlex
from typing import Annotated

import typer

from vsgen.cli.console import say
from vsgen.cli.printed import show


def templates(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Print this template.")] = None,
) -> None:
    """List the shipped templates, or print one.

    Exit status: 0 done; 2 there is no such template.

    Examples:
        vsgen templates
        vsgen templates support-tickets
        vsgen templates jokes > jokes.yaml
    """
    from vsgen.template.catalog import describe

    if name is not None:
        from vsgen.template.find import template_text

        show(template_text(name), end="")
        return
    for shipped, entry in describe().items():
        show(f"{shipped:18} {entry.model:6} {entry.description}")
    say(
        "tiny: works offline with the embedded model, a toy trained on a grammar (see vsgen/tiny/README.md); "
        "-m names a real model instead"
    )


def init(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the template, written to NAME.yaml. It may include a folder.")
    ] = "template",
    template: Annotated[
        str | None, typer.Option("--from", metavar="TEMPLATE", help="Copy this file or shipped template.")
    ] = None,
) -> None:
    """Start a template of your own.

    Writes the simplest template, with comments, or a copy of another one.

    Exit status: 0 done; 2 the file exists; 4 it cannot be written.

    Examples:
        vsgen init reviews
        vsgen init reviews.yml
        vsgen init tickets --from support-tickets
    """
    from vsgen.errors import OptionError, OutputError
    from vsgen.files.lines import no_place
    from vsgen.template.starter import begin, place

    file = place(name)
    text = begin(file, template)
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise OptionError(f"{file}: exists; name another file") from None
    except OSError as error:
        problem = no_place(file) or f"{file}: cannot be written: {error.strerror}; name another file"
        raise OutputError(problem) from error
    say(f"vsgen: wrote {file}; edit it, then: vsgen try {shlex.quote(str(file))} -m MODEL")


def schema() -> None:
    """Print the JSON Schema of templates, for editors.

    An editor with a YAML language server completes and checks templates with it.

    Exit status: 0 done.

    Examples:
        vsgen schema
        vsgen schema > template.schema.json
        vsgen schema | jq .properties.sampling
    """
    from vsgen.template.schema import json_schema

    show(json.dumps(json_schema(), indent=2))
