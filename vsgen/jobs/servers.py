"""Which of a command's models are behind a URL, and whose word that is.

A flag of the command line is meant for the model that it names. A variable of the environment is a default, and leaves
alone what is on this machine by its own name: the embedded model, a folder, a file. A template is untrusted: a server
that only it names must be on this machine, or the user must allow it; and it gets no key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.server import Server
from vsgen.backends.endpoint.service import Service
from vsgen.backends.here import is_own_name
from vsgen.errors import TemplateError
from vsgen.jobs.samples import of_label
from vsgen.labels.judge import RUN
from vsgen.template.schema import Template

if TYPE_CHECKING:
    from vsgen.jobs.wanted import ModelChoice, Wanted


def with_servers(wanted: Wanted, template: Template | None) -> Wanted:
    """The same models, with those that are behind a URL.

    Args:
        wanted: What the command opens.
        template: Whose word counts as well; None has none.

    Raises:
        TemplateError: The template names a server that it may not name.
        OptionError: What stands for a URL is none.
    """
    own = own_server(wanted.choice, template)
    services = dict(_of_template(wanted, template, own)) if template else {}
    if own is not None and wanted.asked not in services:
        services[wanted.asked] = Service(own, wanted.asked, wanted.samples)
    return replace(wanted, services=services) if services else wanted


def own_server(choice: ModelChoice, template: Template | None) -> Server | None:
    """The server of the command's own model; None where that runs in this process.

    Raises:
        TemplateError: The template names a server that it may not name.
        OptionError: What stands for a URL is none.
    """
    server = choice.server
    if choice.opened is not None:
        return None
    if server is not None and server.flagged:
        return server
    if choice.name is not None and is_own_name(choice.name):
        return None
    if template is not None and template.endpoint is not None:
        return server or _allowed(template.endpoint, template.place(("endpoint",), template.endpoint), choice)
    name = choice.name or (template.model if template else None)
    return None if name is None or is_own_name(name) else server


def template_servers(template: Template) -> tuple[Server, ...]:
    """The servers that a template names, for a command that asks none: it may name any.

    Raises:
        OptionError: What stands for a URL is none.
    """
    paths: list[tuple[tuple[str | int, ...], str | None]] = [(("endpoint",), template.endpoint)]
    paths += [
        (("labels", i, *at.endpoint), at.judge.endpoint)
        for i, label in enumerate(template.labels)
        for at in label.written
    ]
    paths += [(("dedup", "endpoint"), template.dedup.endpoint)] if template.dedup else []
    named = ((path, url) for path, url in paths if url not in (None, RUN))
    places = ((_where(template, path, url), url) for path, url in named if url)
    return tuple(Server(read_address(url, where), source=where) for where, url in places)


def _of_template(wanted: Wanted, template: Template, own: Server | None) -> Iterator[tuple[str, Service]]:
    """What a template's sections name themselves, by the names that the desk has."""
    choice, dedup = wanted.choice, template.dedup or None
    for i, label in enumerate(template.labels):
        for judge, model, endpoint in label.written:
            if judge.endpoint is not None and judge.name is not None:
                server = _named(judge.endpoint, template, ("labels", i, *endpoint), choice, own)
                named = ".".join(map(str, ("labels", i, *model)))
                yield judge.name, Service(server, judge.model, tuple(of_label(label)), named=named)
    if dedup is not None and dedup.endpoint is not None and wanted.embedder is not None:
        server = _named(dedup.endpoint, template, ("dedup", "endpoint"), choice, own)
        yield wanted.embedder, Service(server, dedup.embedder, embeds=True, named="dedup.embedder")


def _named(
    url: str, template: Template, path: tuple[str | int, ...], choice: ModelChoice, own: Server | None
) -> Server:
    where = _where(template, path, url)
    if url != RUN:
        return _allowed(url, where, choice)
    if own is None:
        raise TemplateError(f"{where}: is {RUN}, but the run's own model has no endpoint; give a URL, or --endpoint")
    return own


def _where(template: Template, path: tuple[str | int, ...], url: str) -> str:
    """The place of a URL in a template, as a message begins."""
    return f"{template.place(path, url)}: {'.'.join(map(str, path))}"


def _allowed(url: str, where: str, choice: ModelChoice) -> Server:
    """The server of a URL that a template names."""
    address = read_address(url, where)
    for one in (choice.server, *choice.allowed):
        if one is not None and one.address.base == address.base:
            return one
    if not address.loopback:
        shown = f"{address.base}: a template alone may not name a server that is not on this machine"
        raise TemplateError(f"{where}: {shown}; add --allow-endpoint {address.base}")
    return Server(address, source=where)
