"""A new template: a commented one to begin with, or a copy of another, under a name of its own."""

from __future__ import annotations

import re
import shlex
from importlib.resources import files
from pathlib import Path
from typing import Final

from vsgen.errors import OptionError
from vsgen.files.endings import TEMPLATES
from vsgen.template.find import template_text
from vsgen.template.nodes import resolve

_STARTER: Final = "starter"
_LONGEST: Final = 100
"""Of a template's name."""
_TOY: Final = re.compile(r"^model: *tiny\b.*\n", re.MULTILINE)
"""The line that names the embedded model, which knows the shipped templates alone."""


def place(name: str) -> Path:
    """The file of a new template: the name itself, with .yaml where it has no ending of YAML."""
    return Path(name if name.endswith(TEMPLATES) else f"{name}.yaml")


def begin(path: Path, origin: str | None = None) -> str:
    """The text of a new template, named after its file; it names no model, so that the user chooses one.

    Args:
        path: Where it will be written; its comments show commands for this file.
        origin: A template to copy, as for `load_template`; None begins with the simplest.

    Raises:
        OptionError: The file's name has no letter or digit that a template's name may have.
        TemplateError: The origin cannot be read.
    """
    name, command = _slug(path), str(path)
    text = _starter() if origin is None else _TOY.sub("", template_text(origin))
    shown = shlex.quote(command) if command.isprintable() else "TEMPLATE"
    named = re.sub(r"^name:.*$", lambda _: f"name: {name}", text, count=1, flags=re.MULTILINE)
    return re.sub(rf"(?<=vsgen run |vsgen try ){re.escape(origin or _STARTER)}(?= )", lambda _: shown, named)


def _starter() -> str:
    return (files("vsgen.template") / f"{_STARTER}.yaml").read_text(encoding="utf-8")


def _slug(path: Path) -> str:
    """A template's name made of a file's: what it may not hold becomes '-'."""
    slug = re.sub(r"[^a-z0-9]+", "-", path.name.rpartition(".")[0].lower())[:_LONGEST].strip("-")
    if not slug:
        raise OptionError(
            f"{path}: a template is named after its file; use letters a-z, digits and '-', such as my-task"
        )
    return slug if isinstance(resolve(slug), str) else f'"{slug}"'
