"""``python -m tests.cli.reference``: writes what docs/ says of commands and variables anew, from their declarations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, cast

import typer
from typer.core import TyperCommand, TyperOption

from vsgen.cli.app import app
from vsgen.cli.menu import ENTRIES, MENU, command
from vsgen.cli.options import VARIABLES
from vsgen.cli.page import page

DOCS: Final = Path(__file__).parents[2] / "docs"
_WIDTH: Final = 80
_BEGIN: Final = "<!-- python -m tests.cli.reference writes from here -->\n"
_END: Final = "<!-- to here -->\n"


class Made(NamedTuple):
    """A file of docs/ of which a part is made."""

    path: Path
    part: str

    def renewed(self) -> str:
        """The file with its part as it should be."""
        before, _, rest = self.path.read_text().partition(_BEGIN)
        return f"{before}{_BEGIN}{self.part}{_END}{rest.partition(_END)[2]}"


def made() -> Iterator[Made]:
    """All such files."""
    yield Made(DOCS / "cli.md", "".join(_pages()))
    yield Made(DOCS / "environment.md", "".join(_variables()))


def _pages() -> Iterator[str]:
    overview = cast(TyperCommand, typer.main.get_command(app))
    yield _block("vsgen", overview)
    for heading, entries in MENU.items():
        yield f"\n## {heading}\n"
        for name in entries:
            yield f"\n### vsgen {name}\n{_block(f'vsgen {name}', command(name))}"


def _block(path: str, of: TyperCommand) -> str:
    return "\n```text\n" + "\n".join(page(of, path, _WIDTH)) + "\n```\n"


def _variables() -> Iterator[str]:
    yield "| variable | option | of | what it is |\n| --- | --- | --- | --- |\n"
    for variable in VARIABLES:
        found = {name: one for name in ENTRIES for one in command(name).params if _is_of(one, variable)}
        option = cast(TyperOption, next(iter(found.values())))
        names = ", ".join(f"`{name}`" for name in found)
        yield f"| `{variable}` | `{max(option.opts, key=len)}` | {names} | {option.help} |\n"


def _is_of(parameter: object, variable: str) -> bool:
    return getattr(parameter, "envvar", None) == variable


if __name__ == "__main__":
    for one in made():
        one.path.write_text(one.renewed())
