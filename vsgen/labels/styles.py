"""Labels from traces of several styles: what each style says, and how far the styles are apart.

A model that argues for and against may come to another answer than one that goes step by step. Mutual information
splits exactly (the chain rule of entropy): what all traces disagree by is what the styles disagree by, plus the mean
of what the traces of one style disagree by, each style weighted by its traces.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from vsgen.labels.mean import mean
from vsgen.labels.question import Voice
from vsgen.labels.soft import mutual_information
from vsgen.values import SoftLabel


def in_styles(styles: Sequence[str], replies: int) -> list[str]:
    """The style of each of several replies, which take turns with them."""
    return [styles[i % len(styles)] for i in range(replies)]


def of_traces(classes: Sequence[str], voices: Sequence[Voice]) -> dict[str, object]:
    """What a label of traces says about their styles; nothing where there is one.

    What the styles disagree by within themselves is None if one of them has a single trace.

    Args:
        classes: In the order of the voices' weights.
        voices: The traces whose mean the label is, each with its style.
    """
    groups: dict[str, list[Voice]] = {}
    for voice in voices:
        groups.setdefault(voice.style, []).append(voice)
    if len(groups) == 1:
        return {}
    each = {style: mean(classes, group, "nominal", {"traces": len(group)}) for style, group in groups.items()}
    weights = [len(group) / len(voices) for group in groups.values()]
    inner = [one.disagreement for one in each.values() if one.disagreement is not None]
    known = len(inner) == len(each)  # a single trace says nothing of how far the traces of its style are apart
    within = math.fsum(weight * one for weight, one in zip(weights, inner, strict=True)) if known else None
    return {
        "styles": {style: _own(one) for style, one in each.items()},
        "between_styles": mutual_information([list(one.probs.values()) for one in each.values()], weights),
        "within_styles": within,
    }


def of_votes(classes: Sequence[str], shares: Mapping[str, Sequence[float]]) -> dict[str, object]:
    """What a label of votes says about their styles; nothing where there is one.

    Args:
        classes: In the order of the shares.
        shares: Of the votes of each style, the prior included; empty where none could be read.
    """
    if len(shares) == 1:
        return {}
    styles = {style: {"probs": dict(zip(classes, each, strict=True))} for style, each in shares.items() if each}
    weights = [1 / len(styles)] * len(styles)
    return {"styles": styles, "between_styles": mutual_information([each for each in shares.values() if each], weights)}


def _own(one: SoftLabel) -> Mapping[str, object]:
    known = {} if one.disagreement is None else {"disagreement": one.disagreement}
    return {"probs": dict(one.probs), **known, **one.details}
