"""The templates that come with vsgen."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import islice
from pathlib import Path

_SUFFIX = ".yaml"


def shipped() -> Mapping[str, Traversable]:
    """Name to file, sorted by name; a name is the file's, without its ending."""
    found = {file.name.removesuffix(_SUFFIX): file for file in _folder().iterdir() if file.name.endswith(_SUFFIX)}
    return dict(sorted(found.items()))


def describe() -> Mapping[str, str]:
    """Name to description, read off each file's ``description:`` line without parsing the rest."""
    return {name: _description(file) for name, file in shipped().items()}


def _folder() -> Traversable:
    """The package `vsgen.shipped` of an installed wheel, else the checkout's folder beside the package."""
    try:
        return files("vsgen.shipped")
    except ModuleNotFoundError:
        return Path(__file__).parents[2] / "templates"


def _description(file: Traversable) -> str:
    with file.open(encoding="utf-8") as lines:
        return next(
            (line.partition(":")[2].strip() for line in islice(lines, 100) if line.startswith("description:")), ""
        )
