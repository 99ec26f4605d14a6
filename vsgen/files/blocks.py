"""Bytes as they come in, and the lines that they complete."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

from vsgen.errors import InputError

Line: TypeAlias = tuple[int, bytes]
"""The line's number, from 1, and its bytes."""
_BLOCK: Final = 1 << 16
"""Bytes read at once; what a slow writer has sent so far comes at once all the same."""


def of_file(path: Path) -> Iterator[bytes]:
    """The bytes of a file or a pipe.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            yield block


def of_stdin() -> Iterator[bytes]:
    """Standard input past Python's own buffer, whose lock a thread that waits for ever would hold at the end.

    Raises:
        InputError: It is closed.
        OSError: It cannot be read.
    """
    if sys.stdin is None:
        raise InputError("<stdin>: is closed; give a JSONL file")
    try:
        number = sys.stdin.fileno()
    except OSError:  # not a file of the system: a test's
        yield sys.stdin.buffer.read()
        return
    while block := os.read(number, _BLOCK):
        yield block


def lines(blocks: Iterator[bytes]) -> Iterator[list[Line]]:
    """The lines that each block completes, with their numbers."""
    number, begun = 1, list[bytes]()
    for block in blocks:
        if b"\n" not in block:
            begun.append(block)
            continue
        first, *others = block.split(b"\n")
        whole = [b"".join([*begun, first]), *others[:-1]]
        begun = [others[-1]]
        yield list(enumerate(whole, start=number))
        number += len(whole)
    yield [(number, b"".join(begun))]


def filled(blocks: Iterator[bytes]) -> Iterator[Line]:
    """The lines that are not blank."""
    return ((number, line) for block in lines(blocks) for number, line in block if line.strip())
