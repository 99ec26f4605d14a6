"""``vsgen doctor``: what is installed and can run here; with -m what a model can do, with --endpoint a server."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from vsgen.cli import options
from vsgen.cli.console import say
from vsgen.cli.folded import Beside, columns, folded
from vsgen.cli.groups import EndpointGroup, LoadGroup, TalkGroup
from vsgen.cli.printed import Heading, show
from vsgen.cli.shell import shown
from vsgen.terminal import is_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vsgen.backends.endpoint.server import Server
    from vsgen.jobs.health.finding import Finding
    from vsgen.jobs.wanted import ModelChoice

_MARKS = {"ok": "ok", "absent": "-", "problem": "PROBLEM"}


def doctor(
    *,
    model: Annotated[
        str | None,
        typer.Option(
            "-m",
            "--model",
            callback=options.some_model,
            rich_help_panel=options.MODEL,
            help="Test this model: how well it does what vsgen asks. With --endpoint: the name there.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    load: LoadGroup,
    server: EndpointGroup,
    talk: TalkGroup,
) -> None:
    """Show versions and devices, or test what a model or a server can do.

    Without -m: versions, optional parts with the command that installs each, models and caches, devices, folders and
    variables. Each line is ok, - (optional and missing) or PROBLEM, with what to do.

    With -m, a test of a minute or two shows which replies of the model can be read, how often its answers to closed
    questions are right, whether its stated probabilities agree with its own, which wording of labels it answers, and
    which settings are recommended.

    With --endpoint, about 30 small requests show which models the server has, what it can do for one of them, what
    happens where it cannot, and which features of vsgen work there.

    Exit status: 0 done; 2 wrong options, or a wrong variable or library; 3 the model or the server failed, or a file of
    a model is damaged; 4 a folder cannot be written; 130 interrupted.

    Examples:
        vsgen doctor
        vsgen doctor -m Qwen/Qwen2.5-1.5B-Instruct
        vsgen doctor --endpoint http://localhost:8000/v1
    """
    if model is not None or server.named:
        _of_model(server.choice(load.choice(model)), load, talk, as_json=as_json)
        return
    load.refuse("needs a model to load; name one with -m")
    server.refuse_alone()
    _report(list(_findings(load)), "everything that vsgen needs is here", as_json=as_json)


def _of_model(choice: ModelChoice, load: LoadGroup, talk: TalkGroup, *, as_json: bool) -> None:
    """What a model can do, or the server that it is on."""
    from vsgen.jobs.servers import own_server

    place = own_server(choice, None)
    if place is None:
        _measure(choice, talk)
        return
    load.refuse("has no effect on a model behind a URL")
    _report(_examined(place, choice, talk), "vsgen can use this server", as_json=as_json)


def _report(found: Sequence[Finding], well: str, *, as_json: bool) -> None:
    """Print findings.

    Args:
        found: What was looked at.
        well: The last line where there is no problem.
        as_json: As JSON.

    Raises:
        Exit: There is a problem among them.
    """
    problems = [one for one in found if one.state == "problem"]
    if as_json:
        show(json.dumps({"ok": not problems, "findings": [one._asdict() for one in found]}, indent=2))
    else:
        show(*folded(_lines(found, well), columns(sys.stdout)))
    if problems:
        raise typer.Exit(problems[0].status)


def _findings(load: LoadGroup) -> Iterator[Finding]:
    from vsgen.jobs.health.environment import environment
    from vsgen.jobs.health.machine import machine
    from vsgen.jobs.health.models import models
    from vsgen.jobs.health.software import software

    yield from (*software(), *models(), *machine(), *environment(os.environ))
    yield from (_loading(load), _terminal())


def _examined(server: Server, choice: ModelChoice, talk: TalkGroup) -> list[Finding]:
    """What a server can do, with the progress shown."""
    from vsgen.jobs.activity import Activity
    from vsgen.jobs.health.server import served

    activity = Activity()
    with shown(activity.progress, talk), activity.opening(server.address.place, "examining"):
        return list(served(server, choice.http, choice.name, time.monotonic, activity))


def _loading(load: LoadGroup) -> Finding:
    """Whether the variables that stand for options can be used."""
    from vsgen.errors import OptionError
    from vsgen.jobs.health.finding import Finding

    try:
        choice = load.choice(os.environ.get("VSGEN_MODEL"))
    except OptionError as error:
        return Finding("environment", "options", str(error), "problem", "set another value, or unset it", error.status)
    model = choice.name or "no default model: name one with -m"
    return Finding("environment", "options", f"{model}; device {choice.device}, number format {choice.dtype}")


def _terminal() -> Finding:
    from vsgen.jobs.health.finding import Finding

    wide, high = shutil.get_terminal_size()
    seen = is_terminal(sys.stderr)
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not seen
    size = f"{wide} x {high}" if seen else "standard error is not a terminal"
    encoding = str(getattr(sys.stdout, "encoding", None) or "unknown").lower()  # it may be closed
    text = f"{size}, {'no color' if plain else 'color'}, {encoding}"
    if encoding.replace("-", "") != "utf8":
        return Finding("environment", "terminal", text, "absent", "set PYTHONUTF8=1, so that any reply can be shown")
    return Finding("environment", "terminal", text)


def _lines(found: Sequence[Finding], well: str) -> Iterator[str | Beside]:
    width = max(len(one.name) for one in found) + 2
    for group, each in groupby(found, key=lambda one: one.group):
        yield Heading(f"── {group} ──")
        for one in each:
            head = f"{_MARKS[one.state]:8}{one.name:{width}}"
            yield Beside(head, one.value)
            if one.remedy:
                yield Beside(" " * len(head), one.remedy)
        yield ""
    count = sum(one.state == "problem" for one in found)
    yield f"{count} problem{'s' * (count != 1)}" if count else well


def _measure(choice: ModelChoice, talk: TalkGroup) -> None:
    from vsgen.cli.card import card_lines
    from vsgen.jobs.activity import Activity
    from vsgen.jobs.card import measure

    def report(text: str) -> None:
        if not talk.quiet:
            say(f"vsgen: measuring {text}")

    activity = Activity()
    with shown(activity.progress, talk):
        card = measure(choice, clock=time.monotonic, report=report, activity=activity)
    show(*card_lines(card))
