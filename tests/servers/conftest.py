"""What the tests of real servers share: commands, and one server at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from typer.testing import CliRunner, Result

from tests.real import MODEL
from vsgen.cli.app import app

Vsgen: TypeAlias = Callable[..., Result]


@pytest.fixture
def vsgen() -> Vsgen:
    """Runs a command as a shell would."""

    def command(*words: object) -> Result:
        arguments: Sequence[str] = [str(word) for word in words]
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return command


@pytest.fixture(scope="session")
def real() -> Path:
    """The real model as a folder, which vLLM reads: the weights of its GGUF file, unpacked."""
    folder = MODEL.with_suffix("").with_suffix("")
    if not (folder / "tokenizer.json").exists():
        from vsgen.backends.hf.load import load

        opened = load(str(MODEL), device="cpu", dtype="float32")
        opened.model.save_pretrained(folder)
        opened.tokenizer.save_pretrained(folder)
    return folder


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file."""
    return [json.loads(line) for line in path.read_text().splitlines()]
