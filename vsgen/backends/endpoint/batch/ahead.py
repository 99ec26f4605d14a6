"""Requests of a dialog that hang on no response, so that a batch may have all of them at once.

A dialog waits for each response before it goes on. Over HTTP that costs milliseconds; by file it is a round for each.
"""

from __future__ import annotations

from collections.abc import Sequence

from vsgen.backends.endpoint.http import Request
from vsgen.backends.endpoint.scoring import lines
from vsgen.backends.endpoint.settings import Target
from vsgen.values import Call, Score


def ahead(target: Target, call: Call) -> Sequence[Request]:
    """The requests that a call makes whatever comes, in the order of its dialog; empty where only the first is known.

    Args:
        target: Whom they are meant for.
        call: What is asked.
    """
    wire, can = target.wire, target.can
    if wire.name == "chat" and isinstance(call, Score) and can.prompt_logprobs and wire.lacks(call, can) is None:
        return lines(call, target.model, can)
    return ()
