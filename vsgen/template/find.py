"""Finds a template by its path or its name in the catalog, and reads its text."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from vsgen.errors import TemplateError
from vsgen.files.endings import ROWS, TABLES, TEMPLATES
from vsgen.files.similar import similar_file
from vsgen.template.catalog import shipped
from vsgen.template.messages import nearest, show

_MAX_BYTES: Final = 1_048_576


def template_text(source: str) -> str:
    """The text of a template, comments included; `source` as for `vsgen.template.load.load_template`.

    Raises:
        TemplateError: It cannot be found or read.
    """
    return text_of(*find(source))


def find(source: str) -> tuple[Traversable, str]:
    """The file of a template, and what messages call it; a path need not exist.

    Raises:
        TemplateError: There is no template of this name.
    """
    path = Path(source)
    if source.lower().endswith(ROWS + TABLES):
        raise TemplateError(f"{show(source)}: is a file of rows, and a template is needed here; {_order(source)}")
    if source.endswith(TEMPLATES) or os.sep in source or _is(path.is_file):
        return path, source
    templates = shipped()
    if source in templates:
        return templates[source], f"{source}.yaml"
    if source and _is(path.is_dir):
        raise TemplateError(_folder(source))
    own = next((source + ending for ending in TEMPLATES if _is(Path(source + ending).is_file)), None)
    hint = own and f"; did you mean {show(own)}?"
    hint = hint or nearest(source, list(templates)) or f"; the shipped ones are {', '.join(templates)}."
    raise TemplateError(f"no template named {show(source)}{hint} A template of your own is a path that ends in .yaml")


def text_of(file: Traversable, label: str) -> str:
    """The text of a file, which `label` names in messages.

    Raises:
        TemplateError: It cannot be read.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise TemplateError(f"{label}: no such file{_instead(file, label)}") from None
    except IsADirectoryError:
        raise TemplateError(_folder(label)) from None
    except OSError as error:
        raise TemplateError(f"{label}: cannot be read: {error.strerror}; check its permissions") from None
    except ValueError:
        raise TemplateError(f"{show(label)}: not a file name; give a path that ends in .yaml") from None
    if len(content) > _MAX_BYTES:
        raise TemplateError(f"{label}: larger than {_MAX_BYTES:,} bytes; is it a template?")
    return _decoded(content, label)


def _is(asked: Callable[[], bool]) -> bool:
    try:
        return asked()
    except OSError:  # no name of a file
        return False


def _folder(label: str) -> str:
    return f"{label}: is a folder; name a .yaml file in it"


def _order(source: str) -> str:
    shown = shlex.quote(source) if source.isprintable() else "INPUT"
    return f"the template comes first, then the rows: TEMPLATE {shown}"


def _instead(file: Traversable, label: str) -> str:
    """What to give in place of a file that does not exist."""
    name = file.name.rpartition(".")[0]
    if name in shipped():
        return f"; the shipped template is named {name!r}, without an ending"
    if close := similar_file(label, TEMPLATES):
        return f"; did you mean {close!r}?"
    folder = Path(label).parent
    if not folder.is_dir():
        return f"; there is no folder {folder}"
    return (
        f"; to make one: vsgen init {shlex.quote(label)}" if label.isprintable() and label.endswith(TEMPLATES) else ""
    )


def _decoded(content: bytes, label: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TemplateError(f"{label}:{line}: not UTF-8: byte 0x{content[error.start]:02x}; save it as UTF-8") from None
