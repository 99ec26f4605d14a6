"""The command line, run in this process, as a user would type it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import pytest
from typer.testing import CliRunner, Result

from vsgen.cli.app import app

Vsgen: TypeAlias = Callable[..., Result]


@pytest.fixture
def vsgen(monkeypatch: pytest.MonkeyPatch) -> Vsgen:
    """Runs a command; `Result.stdout`, `.stderr` and `.exit_code` are what a shell would see.

    No line of progress falls due, so that a slow machine writes what a fast one does.
    """
    monkeypatch.setattr("vsgen.cli.live._INTERVALS", ((math.inf, math.inf),))
    runner = CliRunner()

    def command(*words: object, stdin: str | None = None) -> Result:
        arguments: Sequence[str] = [str(word) for word in words]
        result = runner.invoke(app, arguments, input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return command
