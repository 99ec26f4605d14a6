"""Versions: of Python, of vsgen, and of the libraries that it needs or can use."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import vsgen
from vsgen.errors import OptionError
from vsgen.extras import EXTRAS, remedy
from vsgen.jobs.health.finding import Finding

_GROUP = "versions"
_OLDEST = (3, 11)


def software() -> Iterator[Finding]:
    """Python, vsgen, its libraries, and each extra with the command that installs it."""
    yield _python()
    place = Path(str(vsgen.__file__)).parent
    yield Finding(_GROUP, "vsgen", f"{_version('vsgen') or 'not installed as a package'}, in {place}")
    yield _libraries()
    yield from (_extra(name) for name in EXTRAS)


def _python() -> Finding:
    found = f"{platform.python_version()} ({platform.system()} {platform.machine()}), {sys.executable}"
    if sys.version_info >= _OLDEST:
        return Finding(_GROUP, "python", found)
    return Finding(_GROUP, "python", found, "problem", "install Python 3.11 or later", OptionError.status)


def _libraries() -> Finding:
    """Those that every command needs."""
    optional = {_name(one) for each in EXTRAS.values() for one in each}  # of an older installation some are needed
    names = [name for one in _requirements() if "extra ==" not in one and (name := _name(one)) not in optional]
    versions = {name: _version(name) for name in names}
    if missing := [name for name, found in versions.items() if found is None]:
        command = f"{sys.executable} -m pip install {' '.join(missing)}"
        return Finding(_GROUP, "libraries", f"no {', '.join(missing)}", "problem", command, OptionError.status)
    return Finding(_GROUP, "libraries", ", ".join(f"{name} {found}" for name, found in versions.items()) or "unknown")


def _extra(name: str) -> Finding:
    """The libraries of an extra; a part of them is not enough."""
    extra = next(one for one in EXTRAS if one == name)
    versions = {found: _version(found) for found in map(_name, EXTRAS[extra])}
    have = ", ".join(f"{found} {which}" for found, which in versions.items() if which)
    if None not in versions.values():
        return Finding(_GROUP, f"extra {name}", have)
    missing = ", ".join(found for found, which in versions.items() if which is None)
    return Finding(_GROUP, f"extra {name}", f"not installed: {missing}", "absent", remedy(extra))


def _requirements() -> list[str]:
    try:
        return requires("vsgen") or []
    except PackageNotFoundError:
        return []


def _name(requirement: str) -> str:
    return re.split("[^A-Za-z0-9._-]", requirement)[0]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
