"""``vsgen check``: what is wrong with a template, and what it will ask."""

from __future__ import annotations

import json
from itertools import repeat
from typing import TYPE_CHECKING, Annotated

import typer

from vsgen.cli import options
from vsgen.cli.console import user_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vsgen.preview import Preview
    from vsgen.values import Prompt


def check(
    template: options.TemplateName,
    input: options.Input = None,
    num: Annotated[int, typer.Option("-n", "--num", min=1, help="Draws to show.")] = 2,
    method: options.Method = None,
    k: options.K = None,
    sets: options.Sets = None,
    seed: options.Seed = 0,
) -> None:
    """Validate a template and show what it will ask; loads no model.

    Exit status: 0 the template is good; 2 it is not.
    """
    with user_errors():
        from vsgen.checking import described, require
        from vsgen.files.rows import read_rows
        from vsgen.preview import preview
        from vsgen.template.load import load_template
        from vsgen.values import Row

        loaded = load_template(template, options.overrides(sets, method=method, k=k))
        require(loaded, allow_exec=True)
        rows = repeat(Row(0)) if input is None else read_rows(input)
        for one in preview(loaded, rows, seed=seed, count=num):
            typer.echo("\n".join(_lines(one)))
        for line in described(loaded):
            typer.echo(f"[checked] {line}")
        if loaded.repair:
            typer.echo(
                f"[repaired] what does not fit is asked for again, up to {_times(loaded.repair)}, with the reason"
            )
        typer.echo(f"{loaded.name}@{loaded.digest}: good")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _lines(one: Preview) -> Iterator[str]:
    yield f"── {one.id} ──"
    yield from _conversation(one.call.prompt)
    for turn in one.turns:
        yield from ("[assistant]", "…", "[user]", turn)
    if one.call.schema:
        yield from ("[reply schema]", json.dumps(json.loads(one.call.schema), ensure_ascii=False))
    for label in one.labels:
        yield "[then, for each kept answer]"
        yield from _conversation(label)
    yield ""


def _conversation(prompt: Prompt) -> Iterator[str]:
    for message in prompt.messages:
        yield from (f"[{message.role}]", message.content)
