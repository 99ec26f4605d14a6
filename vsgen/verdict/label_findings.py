"""What is found in labels themselves: what rows of known class say of them, and whether they differ from row to row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median
from typing import Final

from vsgen.labels.priors import skew
from vsgen.verdict.finding import Finding
from vsgen.verdict.observed import Known, Observed
from vsgen.verdict.setup import Setup

ALIKE: Final = 0.9
"""Of labels with the very same probabilities. Different texts have different ones, but for votes, which are counts."""

DOUBTFUL: Final = 0.5
"""Median probability of the classes together, below which the model often answers something else."""
_ROWS: Final = 20
"""Labels whose mean says something of their model."""
MANY: Final = 50
"""Known classes from which on labels without skill are not called unlucky."""


def uninformed(seen: Observed, _: Setup) -> Iterator[Finding]:
    """Labels that say less of the known classes than their frequency does, or no more, by the skill's error."""
    for name, known in seen.known.items():
        remedy = f"reword the prompt of label {name}, give it examples, or name another model for it"
        if known.prior_alone:
            nothing = f"label {name}: on {known.n:,} known rows it says nothing of the classes, so every row gets the"
            yield _unskilled(known, f"{nothing} class frequencies", remedy)
            continue
        skill = f"{known.skill:.2f} ± {known.error:.2f}"
        text = f"label {name}: the skill on {known.n:,} known rows is {skill}"
        if known.skill == -math.inf:
            text = f"label {name}: a class that is right in one of {known.n:,} known rows has probability 0 there"
        if known.skill + known.error < 0:
            worse = f"{text}: worse than giving every row the class frequencies"
            first = "give more known rows to --calibrate" if known.calibrated else "--calibrate GOLD"
            yield Finding("skill", "bad", worse, f"{first}, or reword the prompt of label {name}")
        elif known.skill - known.error <= 0:
            nothing = f"{text}: no better than giving every row the class frequencies"
            yield _unskilled(known, nothing, remedy)


def _unskilled(known: Known, text: str, remedy: str) -> Finding:
    """No skill is seen, which few rows leave open."""
    if known.n >= MANY:
        return Finding("skill", "bad", text, remedy)
    return Finding("skill", "note", text, f"give more known rows, such as 100; or {remedy}")


def lopsided(seen: Observed, asked: Setup) -> Iterator[Finding]:
    """Predictions that are uneven where the model hardly answers the question: it may prefer classes to others."""
    for label in asked.template.labels:
        totals, masses = seen.totals.get(label.name), seen.masses.get(label.name)
        if totals is None or masses is None or label.name in seen.known:
            continue
        if label.prior != "none" or label.kind == "multi" or not label.classes or len(masses) < _ROWS:
            continue
        found = skew([[total / sum(totals) for total in totals]])
        if found.uneven and median(masses) < DOUBTFUL:
            shares = found.shown(label.classes)
            text = f"label {label.name}: the mean prediction is uneven ({shares}), perhaps whatever the text says"
            remedy = "if the classes are about equally frequent in these rows: --prior batch; else --calibrate GOLD"
            yield Finding("uneven", "note", text, remedy)


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
