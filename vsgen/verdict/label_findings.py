"""What is found in labels themselves: what rows of known class say of them, and whether they differ from row to row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from vsgen.verdict.finding import Finding
from vsgen.verdict.observed import Observed
from vsgen.verdict.setup import Setup

ALIKE: Final = 0.9
"""Of labels with the very same probabilities. Different texts have different ones, but for votes, which are counts."""


def uninformed(seen: Observed, _: Setup) -> Iterator[Finding]:
    """Labels that are further from the known classes than equal shares are, by more than the loss's standard error."""
    for name, known in seen.known.items():
        if known.loss - known.error > known.equal:
            text = (
                f"label {name}: the log loss on {known.n:,} known classes is {known.loss:.2f}, "
                f"above the {known.equal:.2f} of equal shares"
            )
            yield Finding("loss", "bad", text, f"reword the prompt of label {name}, or name another model for it")


def alike(seen: Observed, _: Setup) -> Iterator[Finding]:
    """Labels that say the same of nearly every row; if they are uniform, they say nothing."""
    for name in seen.shapes:
        shape, share = seen.commonest(name)
        if not share.surely(ALIKE):
            continue
        if _uniform(shape):
            text = f"label {name}: {share} labels give every class the same probability: they say nothing"
            remedy = "another --method, or a larger model (-m)"
            yield Finding("alike", "bad", text, remedy)
        else:
            text = f"label {name}: {share} labels have the very same probabilities"
            yield Finding("alike", "note", text, "see whether the rows differ, and whether the prompt holds the text")


def _uniform(shape: tuple[float, ...]) -> bool:
    """Whether it prefers no class: equal shares, or where several may apply an even chance for each."""
    return math.isclose(min(shape), max(shape)) and any(math.isclose(shape[0], p) for p in (1 / len(shape), 0.5))
