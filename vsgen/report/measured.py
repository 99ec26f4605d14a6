"""Probabilities with all that is said of them where gold is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vsgen.metrics.calibration import Estimate, Quality, Rows, log_loss, quality, unnormalised_error
from vsgen.metrics.skill import skill


@dataclass(frozen=True, slots=True)
class Measured:
    """One set of probabilities: a column of a table."""

    name: str
    quality: Quality
    skill: Estimate
    """See `vsgen.metrics.skill`."""
    prior_loss: float
    """The log loss of the class prior, nats."""
    unnormalised: float | None
    """The smooth calibration error before probabilities are normalised over the classes, where that is known."""


def measured(
    name: str,
    probs: Rows,
    gold: Rows,
    prior: Rows,
    *,
    masses: Sequence[float] | None = None,
    texts: Sequence[int] | None = None,
) -> Measured:
    """Measure a set of probabilities.

    Args:
        name: What a table calls them, such as ``before``.
        probs: Rows that sum to 1; at least one.
        gold: As many, likewise.
        prior: As many; see `vsgen.metrics.skill.class_prior`.
        masses: P(the reply is a class at all) of each row.
        texts: Which text each row is about, where several are about one; see `vsgen.metrics.calibration.mean_of`.
    """
    raw = None if masses is None else unnormalised_error(probs, gold, masses)
    found = quality(probs, gold, texts=texts)
    return Measured(name, found, skill(probs, gold, prior, texts=texts), log_loss(prior, gold).value, raw)


def known_rows(quality: Quality) -> str:
    """How much is known, in words: of several classes that may apply, each row answers a question about each."""
    if quality.texts == quality.n:
        return f"{quality.n:,} known"
    return f"{quality.texts:,} row{'' if quality.texts == 1 else 's'}, {quality.n:,} yes-or-no answers"
