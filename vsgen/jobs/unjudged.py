"""What no verdict can see: whether rows that have the right form make sense."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

from vsgen.backends.open import TINY
from vsgen.template.schema import Template

_ROWS: Final = 20
_FOREIGN: Final = (
    "the rows come from the toy model tiny, which knows the tasks of the shipped templates alone; "
    "-m ID asks a real model"
)


def unjudged(model: str, template: Template, rows: Path | None = None) -> str | None:
    """What to look at after a verdict; None where the embedded model writes what it was trained to write.

    Args:
        model: The name of the model that wrote the rows.
        template: What it was asked.
        rows: The file of the rows; None where they are in none.
    """
    if model == TINY:
        return None if template.model == TINY else _FOREIGN
    look = "read some of them"
    if rows is not None and str(rows).isprintable():
        look = f"read some: shuf -n {_ROWS} {shlex.quote(str(rows))} | jq -r .{template.output.fields[0]}"
    return f"the verdict judges the form of the rows, not their sense; {look}"
