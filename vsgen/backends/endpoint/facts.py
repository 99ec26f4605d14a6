"""What is known of a model behind a URL: servers do not say how large it is, but most names do."""

from __future__ import annotations

import re
from typing import Final

from vsgen.backends.endpoint.settings import Target
from vsgen.backends.endpoint.wire import Abilities
from vsgen.values import ModelFacts

_SIZE: Final = re.compile(r"(?<![a-z0-9.])(?:(\d{1,3})x)?(\d{1,4}(?:\.\d{1,3})?)([bm])(?![a-z0-9])")
_UNITS: Final = {"b": 1e9, "m": 1e6}


def parameters_of(name: str) -> int | None:
    """The number of parameters that a model's name states, such as ``Qwen2.5-1.5B-Instruct``; None if it states none.

    Of several numbers the largest counts: others are of the active parameters, say.
    """
    found = [float(size) * int(times or 1) * _UNITS[unit] for times, size, unit in _SIZE.findall(name.lower())]
    return int(max(found)) if found else None


def served_facts(target: Target, can: Abilities | None = None) -> ModelFacts:
    """What is known of a model.

    Args:
        target: The model.
        can: What its server can do; None where it was not asked.
    """
    can = can or target.can
    return ModelFacts(
        parameters=parameters_of(target.model),
        vocabulary=0,
        context=can.context,
        dtype="unknown",
        device=target.address.place,
        chat=target.wire.name != "completions",
        system=can.system,
    )
