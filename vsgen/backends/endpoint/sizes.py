"""How large a model is, by its name: servers do not say, and most names do."""

from __future__ import annotations

import re
from typing import Final

_SIZE: Final = re.compile(r"(?<![a-z0-9.])(?:(\d{1,3})x)?(\d{1,4}(?:\.\d{1,3})?)([bm])(?![a-z0-9])")
_UNITS: Final = {"b": 1e9, "m": 1e6}


def parameters_of(name: str) -> int | None:
    """The number of parameters that a model's name states, such as ``Qwen2.5-1.5B-Instruct``; None if it states none.

    Of several numbers the largest counts: others are of the active parameters, say.
    """
    found = [float(size) * int(times or 1) * _UNITS[unit] for times, size, unit in _SIZE.findall(name.lower())]
    return int(max(found)) if found else None
