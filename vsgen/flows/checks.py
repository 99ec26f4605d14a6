"""What a template's section `check` asks of a candidate, and of the machine that it runs on.

It is the bridge to the room `checks`, which knows neither templates nor rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import orjson

from vsgen.checks.commands import require_command, shown, version_of
from vsgen.checks.settings import Check
from vsgen.checks.sql import require_sql
from vsgen.checks.syntax import problem
from vsgen.errors import SKIP_IT, CommandError, OptionError
from vsgen.flow import Flow, ask
from vsgen.template.answer import as_text
from vsgen.template.schema import Template
from vsgen.values import Verify


class Outside(NamedTuple):
    """An external command, and the field that it stands under."""

    field: str
    command: tuple[str, ...]
    timeout: float
    version: str


def syntax_problem(template: Template, fields: Mapping[str, object]) -> str | None:
    """Why a candidate's fields do not parse as the template says; None if they do. Never raises."""
    for name, check in _each(template):
        if check.syntax and (why := problem(check.syntax, as_text(fields[name]), dialect=check.dialect)):
            return f"{name}: {why}"
    return None


def outside(template: Template) -> tuple[Outside, ...]:
    """The template's external commands, in its order."""
    return tuple(
        Outside(name, check.command, check.timeout, version_of(check.command))
        for name, check in _each(template)
        if check.command
    )


def verdict(
    commands: tuple[Outside, ...], name: str, fields: Mapping[str, object], *, lenient: bool = False
) -> Flow[str | None]:
    """Why an external command refuses a candidate, in its own words; None if all accept it.

    Args:
        commands: Of the template.
        name: The candidate's id, for messages.
        fields: Of the candidate, such that JSON can hold them.
        lenient: A command that gives no verdict refuses the candidate, instead of raising.

    Raises:
        CommandError: A command gave no verdict.
    """
    for one in commands:
        row = orjson.dumps(dict(fields)).decode()
        try:
            checked = yield from ask(Verify(one.command, row, one.timeout, one.version))
        except CommandError as error:
            if lenient:
                return f"{one.field}: no verdict: {error}"
            remedy = "nothing is lost: fix the command, then continue with --resume"
            raise CommandError(f"{name}: check.{one.field}: {error}; {remedy}; {SKIP_IT}") from error
        if not checked.ok:
            return f"{one.field}: {checked.problem or f'refused by {shown(one.command)}'}"
    return None


def require(template: Template, *, allow_exec: bool) -> None:
    """See that everything that the template's checks need is here and allowed, before anything is paid for.

    Args:
        template: Whose checks.
        allow_exec: The user lets the template run its commands.

    Raises:
        OptionError: It is not; says which check, and what to do.
    """
    for name, check in _each(template):
        where = f"{template.source}: check.{name}"
        if check.syntax == "sql":
            require_sql(where, check.dialect)
        if check.command and not allow_exec:
            remedy = "read what it does, then pass --allow-exec"
            raise OptionError(f"{where}: runs the command '{shown(check.command)}' with your permissions; {remedy}")
        if check.command:
            require_command(where, check.command)


def described(template: Template) -> Iterator[str]:
    """What is checked, a line for each check, for people."""
    for name, check in _each(template):
        if check.command:
            yield f"{name}: accepted by '{shown(check.command)}' (needs --allow-exec)"
        else:
            yield f"{name}: parses as {check.syntax}" + (f", dialect {check.dialect}" if check.dialect else "")


def _each(template: Template) -> Iterator[tuple[str, Check]]:
    return ((name, check) for name, checks in template.checks.items() for check in checks)
