"""What a case writes, as digests, beside the stored ones: nothing is normalized."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import orjson
from typer.testing import CliRunner

from tests.bytes.cases import Case, cases
from vsgen.cli.app import app

STORED: Final = Path(__file__).with_name("digests.json")
INPUTS: Final = Path(__file__).with_name("inputs")
_FILES: Final = ("out.jsonl", "rejects.jsonl")


def written(case: Case) -> Mapping[str, object]:
    """Run a case; the exit status, and a digest of standard output and of each file that it left."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        shutil.copytree(INPUTS, folder, dirs_exist_ok=True)
        stdin = (folder / case.stdin).read_bytes() if case.stdin else b""
        result = CliRunner().invoke(app, [*shlex.split(case.words)], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        found = {file: (folder / file).read_bytes() for file in _FILES if (folder / file).exists()}
        found |= {"stdout": result.stdout_bytes} if result.stdout_bytes else {}
        return {"status": result.exit_code, **{file: _digest(data) for file, data in sorted(found.items())}}


def stored() -> Mapping[str, Mapping[str, Any]]:
    """What was stored, by case."""
    read: dict[str, dict[str, Any]] = orjson.loads(STORED.read_bytes()) if STORED.exists() else {}
    return read


def renew(now: Mapping[str, Mapping[str, object]]) -> None:
    """Store these; cases that were not run stay, those that are gone are dropped."""
    kept = {name: digests for name, digests in ({**stored(), **now}).items() if name in cases()}
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    STORED.write_bytes(orjson.dumps(kept, option=options))


def differences(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """What differs, a line for each file."""
    return list(_differences(before, now))


def _differences(before: Mapping[str, object], now: Mapping[str, object]) -> Iterator[str]:
    for part in sorted(before.keys() | now.keys()):
        if before.get(part) != now.get(part):
            yield f"{part} was {before.get(part, 'not there')} and is {now.get(part, 'not there')}"


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest()
