"""``vsgen check``: what is wrong with a template, what is doubtful, what it will ask, and about how much that takes."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import chain, repeat
from typing import TYPE_CHECKING, Annotated

import typer

from vsgen.cli import options
from vsgen.cli.console import say
from vsgen.cli.groups import SampleGroup, endpoint_named
from vsgen.cli.printed import show

if TYPE_CHECKING:
    from vsgen.backends.chat.spell import Speller
    from vsgen.backends.endpoint.server import Server
    from vsgen.template.schema import Template
    from vsgen.template.warnings.warning import Use
    from vsgen.values import ModelFacts


def check(
    *,
    template: options.TemplateName,
    input: options.Input = None,
    num: options.Draws = 2,
    model: options.Model = None,
    endpoint: options.Endpoint = None,
    sample: SampleGroup,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with status 5 if there is a warning.")] = False,
) -> None:
    """Check a template and show what it asks.

    Likely mistakes are warnings, on standard error. With -m, prompts are shown as that model reads them. No weights
    are loaded.

    Exit status: 0 the template is valid; 2 it is not; 5 --strict: it is valid, but there are warnings.

    Examples:
        vsgen check reviews.yaml
        vsgen check reviews.yaml products.jsonl -n 3
        vsgen check support-tickets -m tiny --method vs-cot
    """
    from vsgen.backends.endpoint.facts import served_facts
    from vsgen.cli.checked import draw_lines, plan_lines
    from vsgen.cli.folded import columns, folded
    from vsgen.files.mistaken import without_rows
    from vsgen.files.rows import read_rows
    from vsgen.flows.asking import size_of
    from vsgen.flows.checks import require
    from vsgen.jobs.plan_run import plan_run
    from vsgen.jobs.preview import preview
    from vsgen.template.load import load_template
    from vsgen.template.warnings.rules import template_warnings
    from vsgen.values import Row

    loaded = load_template(template, sample.overrides)
    require(loaded, allow_exec=True)
    server = _server(model, endpoint, loaded)
    reader, facts = (
        _reader(model) if server is None else (None, served_facts(server.target(model or loaded.model or "")))
    )
    if facts is not None:
        loaded = load_template(template, sample.overrides, size_of(facts))
    rows = repeat(Row(0)) if input is None else read_rows(input)
    if (first := next(rows, None)) is None:
        raise without_rows(str(input))
    draws = list(preview(loaded, chain([first], rows), seed=sample.seed, count=num, facts=facts))
    use = replace(_use(loaded, reader, rows=input is not None), fields=first.fields)
    show(*folded(draw_lines(draws, reader), columns(sys.stdout)))
    seen = (
        "add -m ID to see the tokens of a model" if server is None else f"{server.address.place} lays them out itself"
    )
    sent = "these are chat messages" if loaded.chat else "this is plain text that the model continues"
    remarks = reader.remarks() if reader else (f"{sent}; {seen}",)
    made = plan_run(loaded, draws, use, "")
    show(*folded(plan_lines(loaded, made, facts), columns(sys.stdout)))
    for remark in remarks:
        show(f"note: {remark}")
    _conclude(loaded, [str(found) for found in template_warnings(loaded, use)], strict=strict)


def _conclude(template: Template, warnings: list[str], *, strict: bool) -> None:
    from vsgen.errors import GateError

    for warning in warnings:
        say(f"warning: {warning}")
    count = "1 warning" if len(warnings) == 1 else f"{len(warnings)} warnings"
    name = f"{template.name}@{template.digest}"
    if strict and warnings:
        raise GateError(f"{name}: valid, but with {count} (--strict)")
    show(f"{name}: valid, with {count}" if warnings else f"{name}: good")


def _use(template: Template, reader: Speller | None, *, rows: bool) -> Use:
    from vsgen.jobs.plan import counting
    from vsgen.template.warnings.warning import Use

    use = Use(template.num, rows)
    return use if reader is None else counting(reader, use)


def _server(model: str | None, endpoint: str | None, template: Template) -> Server | None:
    """The server that the model is on; None where it is in this process. No server is asked."""
    from vsgen.backends.endpoint.address import read_address
    from vsgen.backends.endpoint.server import Server
    from vsgen.jobs.servers import own_server, template_servers
    from vsgen.jobs.wanted import ModelChoice

    url, source = endpoint_named(endpoint)
    named = None if url is None else Server(read_address(url, source), source=source)
    return own_server(ModelChoice(model, server=named, allowed=template_servers(template)), template)


def _reader(model: str | None) -> tuple[Speller | None, ModelFacts | None]:
    """How a model reads prompts, and what it is; nothing where none is named."""
    if model is None:
        return None, None
    from vsgen.backends.open_tokenizer import open_tokenizer

    reader = open_tokenizer(model)
    return reader, reader.facts()
