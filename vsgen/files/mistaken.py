"""What was given in place of a file of JSON lines, and what to do, such as the command that makes rows of it."""

from __future__ import annotations

import codecs
import shlex
from pathlib import Path
from typing import Final

from vsgen.errors import InputError
from vsgen.files.endings import ROWS, TABLES, TEMPLATES
from vsgen.files.part import part_of
from vsgen.files.similar import similar_file

_JSON: Final = "import json, sys; [print(json.dumps(row)) for row in json.load(sys.stdin)]"
_CSV: Final = "import csv, json, sys; [print(json.dumps(row)) for row in csv.DictReader(sys.stdin)]"
_GZIP: Final = b"\x1f\x8b"


def mistaken(name: str, line: bytes) -> str | None:
    """What a file is whose first line is not a JSON object, and what to do; None where its look does not say.

    Args:
        name: The name of the file, or ``<stdin>``.
        line: Its first line.
    """
    lower = name.lower()
    if lower.endswith(TEMPLATES):
        return "is a template, and rows are needed here; the order is TEMPLATE INPUT"
    if line.startswith(_GZIP):
        return "is compressed with gzip; unpack it with gzip -d"
    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "is UTF-16, as PowerShell writes; save it as UTF-8"
    if line.lstrip().startswith(b"["):
        return f"is one JSON array; make a row of each item: {_command(_JSON, name)}"
    if lower.endswith(TABLES) or (b"," in line and not lower.endswith(ROWS) and not line.lstrip().startswith(b"{")):
        return f"looks like CSV; make JSON lines of it: {_command(_CSV, name)}"
    return None


def without_rows(name: str) -> InputError:
    """The error of an input that has no rows."""
    return InputError(f"{name}: has no rows; give at least one JSON object")


def unreadable(name: str, error: OSError) -> str:
    """Why the rows of a file cannot be read, and what to give."""
    if isinstance(error, IsADirectoryError):
        return f"{name}: is a folder; name a JSONL file in it"
    if isinstance(error, FileNotFoundError):
        if part_of(Path(name)).exists():
            return f"{name}: is not complete: a run is writing it, or was interrupted and needs --resume"
        close = similar_file(name, ROWS)
        hint = f"did you mean {close!r}?" if close else "give a JSONL file, or - for stdin"
        return f"{name}: no such file; {hint}"
    return f"{name}: cannot be read: {error.strerror}; give a JSONL file, or - for stdin"


def _command(code: str, name: str) -> str:
    if not name.isprintable() or name.startswith("<"):
        return f'python3 -c "{code}"'
    quoted = shlex.quote(name)
    return f'python3 -c "{code}" < {quoted} > {shlex.quote(name.rpartition(".")[0] or name)}.jsonl'
