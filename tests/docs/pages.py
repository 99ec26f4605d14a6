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
_OPTION: Final = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
_VSGEN: Final = re.compile(r"`vsgen ([a-z]+)")
_ROW: Final = re.compile(r"^ *\|.*\|$", re.MULTILINE)
_FIGURE: Final = re.compile(r"^ *[-+.<> ]*[\d,]*\.\d+( ± [\d.]+)?( ?(%|s|x|ms|MB))? *$")
_COMMAND: Final = re.compile(r"(`|^)(python -m (tests|vsgen)|make |vsgen )", re.MULTILINE)
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


def sections(page: Path) -> Iterator[str]:
    """The parts of a page between headings, code and tables included."""
    return iter(re.split(r"^#+ .*$", page.read_text(encoding="utf-8"), flags=re.MULTILINE))


def options(page: Path) -> set[str]:
    """Options that it names anywhere, such as --resume."""
    return set(_OPTION.findall(page.read_text(encoding="utf-8")))


def commands(page: Path) -> set[str]:
    """Commands of vsgen that its prose names, such as run."""
    return set(_VSGEN.findall(page.read_text(encoding="utf-8")))


def has_figures(section: str) -> bool:
    """Whether it has a table of measured figures: two rows at least with a decimal number alone in a cell."""
    return sum(any(_FIGURE.match(cell) for cell in row.split("|")) for row in _ROW.findall(section)) > 1


def names_a_command(section: str) -> bool:
    """Whether it says how its figures are made."""
    return bool(_COMMAND.search(section))
