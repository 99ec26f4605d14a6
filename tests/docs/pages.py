"""The pages that users read, and what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "README.md"
INDEX: Final = ROOT / "docs" / "README.md"
DOCS: Final = sorted((ROOT / "docs").glob("*.md"))
PAGES: Final = [README, ROOT / "CONTRIBUTING.md", *DOCS]
OTHERS: Final = [
    ROOT / "vsgen" / "README.md",
    ROOT / "vsgen" / "tiny" / "README.md",
    *ROOT.glob("examples/*/README.md"),
]

_LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
_FENCED: Final = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^#+ (.*)$", re.MULTILINE)
_NOT_IN_ANCHORS: Final = re.compile(r"[^\w\- ]")


def name(page: Path) -> str:
    """As a reader would say it: docs/keep.md."""
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    """What it links to, pictures included."""
    return (link or picture for link, picture in _LINK.findall(prose(page)))


def anchors(page: Path) -> set[str]:
    """The parts of a page that a link may name, as GitHub names them."""
    headings = (_NOT_IN_ANCHORS.sub("", heading.lower()) for heading in _HEADING.findall(prose(page)))
    return {heading.replace(" ", "-") for heading in headings}
