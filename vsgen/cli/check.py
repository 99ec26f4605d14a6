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

    from vsgen.backends.hf.spell import Speller
    from vsgen.jobs.preview import Preview
    from vsgen.template.schema import Template
    from vsgen.values import ModelFacts, Prompt


def check(
    template: options.TemplateName,
    input: options.Input = None,
    num: Annotated[int, typer.Option("-n", "--num", min=1, help="Draws to show.")] = 2,
    method: options.Method = None,
    k: options.K = None,
    sets: options.Sets = None,
    seed: options.Seed = 0,
    model: options.Model = None,
) -> None:
    """Validate a template and show what it will ask; with -m as that model reads it. Loads no weights.

    Exit status: 0 the template is good; 2 it is not.
    """
    with user_errors():
        from vsgen.files.rows import read_rows
        from vsgen.flows.asking import size_of, unsuited
        from vsgen.flows.checks import described, require
        from vsgen.jobs.preview import preview
        from vsgen.template.load import load_template
        from vsgen.values import Row

        overrides = options.overrides(sets, method=method, k=k)
        loaded = load_template(template, overrides)
        require(loaded, allow_exec=True)
        reader, facts = _reader(model)
        if facts is not None:
            loaded = load_template(template, overrides, size_of(facts))
        rows = repeat(Row(0)) if input is None else read_rows(input)
        for one in preview(loaded, rows, seed=seed, count=num, facts=facts):
            typer.echo("\n".join(_lines(one, reader)))
        if loaded.fitted:
            typer.echo(f"[recommended] the template's settings for {loaded.fitted} models are in force")
        if why := unsuited(loaded, facts):
            typer.echo(f"[unsuited] {why}")
        for line in described(loaded):
            typer.echo(f"[checked] {line}")
        if loaded.repair:
            typer.echo(
                f"[repaired] what does not fit is asked for again, up to {_times(loaded.repair)}, with the reason"
            )
        for line in _decisions(loaded):
            typer.echo(line)
        typer.echo(f"{loaded.name}@{loaded.digest}: good")


def _decisions(template: Template) -> Iterator[str]:
    """What decides on an answer that fits, and who judges it."""
    from vsgen.template.keep import clause

    if template.scored:
        yield "[scored] every answer that fits, as the reply to the plain task"
    names = [label.name for label in template.labels]
    for text in template.keep:
        read = [name for name in names if name in clause(text).labels(names)]
        yield f"[kept only if] {text}" + (f" (asks for label {', '.join(read)} first)" if read else "")
    for label in template.labels:
        if label.model:
            yield f"[judged] label {label.name} by {label.model}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _reader(model: str | None) -> tuple[Speller | None, ModelFacts | None]:
    """How a model reads prompts, and what it is; nothing where none is named."""
    if model is None:
        return None, None
    from vsgen.backends.open_tokenizer import open_tokenizer

    reader = open_tokenizer(model)
    return reader, reader.facts()


def _lines(one: Preview, reader: Speller | None) -> Iterator[str]:
    yield f"── {one.id} ──"
    if reader is None:
        yield from _conversation(one.call.prompt)
    else:
        yield f"[as {reader.name} reads it]"
        yield reader.render(one.call.prompt)
    for turn in one.turns:
        yield from ("[assistant]", "…", "[user]", turn)
    if one.call.pattern:
        yield from ("[reply pattern]", one.call.pattern)
    if one.call.schema:
        yield from ("[reply schema]", json.dumps(json.loads(one.call.schema), ensure_ascii=False))
    for label in one.labels:
        yield "[then, for each kept answer]"
        yield from _conversation(label)
    yield ""


def _conversation(prompt: Prompt) -> Iterator[str]:
    for message in prompt.messages:
        yield from (f"[{message.role}]", message.content)
    if prompt.prefill:
        yield from ("[the reply begins]", prompt.prefill)
