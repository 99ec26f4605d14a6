"""Labels from servers that state the most probable tokens alone: between which bounds each class's probability lies.

A class that is not listed is not zero. With the least and the most weight l and u of every class, the share of class i
is at least l_i / (l_i + sum of u_j) and at most u_i / (u_i + sum of l_j), over all other classes j.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from vsgen.labels.question import Voice
from vsgen.probability import softmax


def truncated(classes: Sequence[str], voices: Sequence[Voice]) -> dict[str, object]:
    """What a label says about voices that are not exact; nothing if all are.

    Args:
        classes: Their names.
        voices: The opinions whose mean the label is.

    Returns:
        ``truncated``, and for each class the least and the most of the mean, ``bounds``, where all voices have them.
    """
    if not any(voice.truncated for voice in voices):
        return {}
    each = [_shares(voice) for voice in voices]
    known = [bounds for bounds in each if bounds is not None]
    if len(known) < len(each):
        return {"truncated": True}
    columns = zip(*known, strict=True)
    means = [[math.fsum(ends) / len(ends) for ends in zip(*column, strict=True)] for column in columns]
    return {"truncated": True, "bounds": dict(zip(classes, means, strict=True))}


def _shares(voice: Voice) -> list[tuple[float, float]] | None:
    """Least and most of each class's share; None where they are not known."""
    if not voice.truncated:
        return [(share, share) for share in softmax(voice.logps)]
    if voice.lower is None or voice.upper is None:
        return None
    peak = max(voice.upper)
    if peak == -math.inf:
        return [(0.0, 1.0)] * len(voice.upper)
    low, high = ([math.exp(one - peak) for one in ends] for ends in (voice.lower, voice.upper))
    return [(_share(low, high, i), _share(high, low, i)) for i in range(len(low))]


def _share(own: Sequence[float], others: Sequence[float], i: int) -> float:
    """The i-th weight's share where the others have these."""
    rest = math.fsum((*others[:i], *others[i + 1 :]))  # not their sum less one of them, which would cancel
    return own[i] / (own[i] + rest) if own[i] > 0 else 0.0
