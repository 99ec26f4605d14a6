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

MANY: Final = 50
"""Known classes from which on labels without skill are not called unlucky."""


def uninformed(seen: Observed, _: Setup) -> Iterator[Finding]:
    """Labels that say less of the known classes than their frequency does, or no more, by the skill's error."""
    for name, known in seen.known.items():
        skill = f"{known.skill:.2f} ± {known.error:.2f}"
        text = f"label {name}: the skill on {known.n:,} known classes is {skill}"
        if known.skill + known.error < 0:
            worse = f"{text}: worse than giving every row the class frequencies"
            yield Finding("skill", "bad", worse, f"--calibrate GOLD, or reword the prompt of label {name}")
        elif known.skill - known.error <= 0:
            nothing = f"{text}: no better than giving every row the class frequencies"
            remedy = f"reword the prompt of label {name}, give it examples, or name another model for it"
            yield Finding("skill", "bad" if known.n >= MANY else "note", nothing, remedy)


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
