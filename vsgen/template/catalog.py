"""The templates that come with vsgen."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

_SUFFIX = ".yaml"


def shipped() -> Mapping[str, Traversable]:
    """Name to file, sorted by name; a name is the file's, without its ending."""
    found = {file.name.removesuffix(_SUFFIX): file for file in _folder().iterdir() if file.name.endswith(_SUFFIX)}
    return dict(sorted(found.items()))


class Entry(NamedTuple):
    """A line of the catalog."""

    description: str
    model: str
    """The model that the template names; empty if it names none."""


def describe() -> Mapping[str, Entry]:
    """Name to description and model, read off each file's own lines without parsing the rest."""
    return {name: Entry(_key(file, "description"), _key(file, "model")) for name, file in shipped().items()}


def _folder() -> Traversable:
    """The package `vsgen.shipped` of an installed wheel, else the checkout's folder beside the package."""
    try:
        return files("vsgen.shipped")
    except ModuleNotFoundError:
        return Path(__file__).parents[2] / "templates"


def _key(file: Traversable, key: str) -> str:
    """The value of a top-level key that stands on one line, without its comment; empty if there is none."""
    with file.open(encoding="utf-8") as lines:
        found = (line.partition(":")[2] for line in islice(lines, 200) if line.startswith(f"{key}:"))
        return next(found, "").partition(" #")[0].strip()
