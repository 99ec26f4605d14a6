"""The blocks of code of a page, and what a test is to do with each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.docs.pages import name

_FENCE: Final = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOT_RUN: Final = re.compile(r"\A# \(not run by the tests: (.+)\)\n")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code between fences."""

    page: Path
    line: int
    """Of the page, where the fence is."""
    language: str
    """What the fence says first: sh, console, python, yaml, makefile, json, or text, which is only shown."""
    slow: bool
    """The fence says `slow` as well, so only `make test-slow` runs it."""
    text: str

    @property
    def reason(self) -> str | None:
        """Why no test runs it, as its first line tells the reader; None where one does."""
        match = _NOT_RUN.match(self.text)
        return match and match[1]

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"


def blocks(page: Path) -> Sequence[Block]:
    """All blocks of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, match.start()) + 1, words[0], words[1:] == ["slow"], match[2])
        for match in _FENCE.finditer(text)
        for words in [match[1].split() or [""]]
    ]
