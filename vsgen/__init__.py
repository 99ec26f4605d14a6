"""vsgen: synthetic data from YAML templates, by verbalized sampling. The map is in vsgen/README.md.

From Python: `generate`, `label` and `endpoint`; see docs/python.md. They are imported when they are first used, so that
the command line starts without them.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # that of `typing` takes longer to import than all else that stands before a command's first line
if TYPE_CHECKING:
    from vsgen import errors
    from vsgen.api import Rows, endpoint, generate, label
    from vsgen.errors import VsgenError
    from vsgen.jobs.label_rows import Labelled
    from vsgen.values import Record, SoftLabel, Unlabelled

__version__ = "0.1.0"

__all__ = [
    "Labelled",
    "Record",
    "Rows",
    "SoftLabel",
    "Unlabelled",
    "VsgenError",
    "endpoint",
    "errors",
    "generate",
    "label",
]

_HOMES = dict.fromkeys(("Rows", "endpoint", "generate", "label"), "vsgen.api")
_HOMES |= dict.fromkeys(("Record", "SoftLabel", "Unlabelled"), "vsgen.values")
_HOMES |= {"Labelled": "vsgen.jobs.label_rows", "VsgenError": "vsgen.errors"}


def __getattr__(name: str) -> object:
    if name == "errors":
        return import_module("vsgen.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'vsgen' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
