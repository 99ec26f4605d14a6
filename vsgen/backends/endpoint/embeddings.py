"""The wire of embeddings (``/v1/embeddings``): a text becomes a unit vector."""

from __future__ import annotations

import math
import struct
from typing import Any, Final

from vsgen.backends.endpoint.asking import post
from vsgen.backends.endpoint.http import Response
from vsgen.backends.endpoint.reading import first, member, read_object, refused, usage_of
from vsgen.backends.endpoint.wire import Abilities, Dialog, Said, Unreadable, asked
from vsgen.values import Call, Embed, Prompt, Refused, Vector

ROUTE: Final = "embeddings"
_WIDEST: Final = 1 << 16
"""Components that a vector may have."""
_SHORTEST: Final = 1e-30
"""Lengths below are rounding, and have no direction."""


class Embeddings:
    """See the module."""

    name: Final = "embeddings"

    def lacks(self, call: Call, can: Abilities) -> str | None:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        return None if isinstance(call, Embed) else f"{type(call).__name__.lower()} calls"

    def dialog(self, call: Call, model: str, can: Abilities) -> Dialog:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        if not isinstance(call, Embed):
            return Said(Refused("refused", "an embedder only embeds"))
        body = {"model": model, "input": call.text, "encoding_format": "float"}
        return (yield from asked(post(ROUTE, body, Prompt(prefill=call.text), 0), _read_reply))


def _read_reply(response: Response) -> Said:
    if response.status >= 300:
        return Said(refused(response))
    said = read_object(response)
    return Said(Vector(_unit(member(first(said, "data"), "embedding", list))), usage_of(said))


def _unit(values: list[Any]) -> bytes:
    """The components of length 1, as `Vector.data` has them."""
    if not 0 < len(values) <= _WIDEST or not all(type(one) in (int, float) for one in values):
        raise Unreadable("the reply's 'embedding' is no list of numbers")
    try:
        length = math.hypot(*values)
        unit = [one / length for one in values] if math.isfinite(length) and length > _SHORTEST else []
    except OverflowError:
        unit = []
    if not unit:
        raise Unreadable("the reply's 'embedding' has no direction")
    return struct.pack(f"<{len(unit)}e", *unit)
