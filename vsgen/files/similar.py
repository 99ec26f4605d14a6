"""Which file was meant by a name that no file has."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Final

from vsgen.sections.misfit import likeliest

_MOST: Final = 1000
"""Files of a folder that are looked through."""


def similar_file(name: str, endings: tuple[str, ...]) -> str | None:
    """The file of the same folder whose name is most like this one; None if there is none.

    Args:
        name: Of a file that does not exist.
        endings: That the file may have.
    """
    try:
        there = [*islice(Path(name).parent.iterdir(), _MOST)]
    except OSError:  # there is no folder, or none whose names may be read
        return None
    stems = {path.stem: str(path) for path in there if path.suffix in endings}
    close = likeliest(Path(name).stem, list(stems))
    return stems[close] if close else None
