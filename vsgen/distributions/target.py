"""A prompt whose answers' distribution is known exactly.

Such prompts train a model to be calibrated, or measure how well it is (arXiv 2605.11845).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from vsgen.distributions.names import Split
from vsgen.errors import InputError
from vsgen.values import Prompt


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked, and how often each answer should be given."""

    id: str
    family: str
    """The distribution's family, or the template's name."""
    params: Mapping[str, object]
    """The distribution's parameters, or the template's variables."""
    prompt: Prompt
    values: tuple[str, ...]
    """The answers as they are written, each once."""
    probs: tuple[float, ...]
    """One per value; they sum to 1."""
    split: Split | None = None
    """None where the prompt is no part of the paper's set."""
    details: Mapping[str, object] = field(default_factory=dict)
    """How it was made, for the row."""
    numeric: bool = False
    """The answers are numbers."""


def normalized(weights: Mapping[str, float], where: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Values and their shares of the weights' sum.

    Args:
        weights: By value; none is negative.
        where: What they belong to, for the message.

    Raises:
        InputError: No weight is positive, or their sum is beyond what can be computed with.
    """
    total = math.fsum(weights.values())
    if not 0 < total < math.inf:
        raise InputError(
            f"{where}: the weights must have a finite sum above 0, got {total:g}; give some answer a weight"
        )
    return tuple(weights), tuple(weight / total for weight in weights.values())
