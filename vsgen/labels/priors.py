"""Priors of soft labels, divided out without gold labels.

A model may prefer a class whatever the text says. *Contextual* calibration (Zhao et al. 2021, arXiv 2102.09690) takes
that preference from content-free texts, *batch* calibration (Zhou et al., arXiv 2309.17249) from the mean of P(class |
text) over the texts at hand. Both divide by it. Batch calibration takes the classes for equally frequent; whether a
mean prediction is uneven by the model's preference or by the texts, no unlabelled set can tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vsgen.errors import OptionError
from vsgen.labels.select import normalised_entropy
from vsgen.labels.soft import entropy
from vsgen.probability import logs, softmax

EVEN = 0.9
"""A mean prediction is even if its entropy is at least this share of ln K; of two classes, if neither passes 0.684."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Skew:
    """How evenly the classes are predicted over a set of texts."""

    mean: tuple[float, ...]
    """The mean of P(class | text)."""
    evenness: float
    """Entropy of `mean` over ln K: 1 if all classes are predicted alike."""

    @property
    def uneven(self) -> bool:
        """Too uneven for batch calibration to be safe."""
        return self.evenness < EVEN

    def shown(self, classes: Sequence[str]) -> str:
        """The classes that are predicted most, and how much.

        Args:
            classes: In the order of `mean`.
        """
        ranked = sorted(zip(self.mean, classes, strict=True), key=lambda pair: -pair[0])
        shares = ", ".join(f"{name} {share:.2f}" for share, name in ranked[:_SHOWN])
        return f"{shares}{', ...' if len(ranked) > _SHOWN else ''}"

    def warning(self, classes: Sequence[str]) -> str | None:
        """What the user should know before batch calibration; None if nothing.

        Args:
            classes: In the order of `mean`.
        """
        if not self.uneven:
            return None
        pulls = "batch calibration pulls it towards equal shares"
        remedy = "leave it out unless the classes really are equally frequent in these texts"
        return f"the mean prediction is uneven ({self.shown(classes)}) and {pulls}; {remedy}"


def divide(logps: Sequence[float], prior_logps: Sequence[float]) -> list[float]:
    """Log-probabilities over their priors, not normalised; a prior of -inf, which is nothing, corrects nothing."""
    return [logp - prior if prior > -math.inf else logp for logp, prior in zip(logps, prior_logps, strict=True)]


def mean_prior(each: Sequence[Sequence[float]]) -> Sequence[float]:
    """The logarithm of the prior that several texts without content have, nats: that of their mean distribution.

    Args:
        each: The classes' log-probabilities for each of the texts; of a single one they are the prior themselves.
    """
    return each[0] if len(each) == 1 else logs(_mean([softmax(logps) for logps in each]))


def skew(rows: Sequence[Sequence[float]]) -> Skew:
    """How even the mean of some distributions over the same classes is.

    Raises:
        OptionError: There is no row, or the rows differ in their number of classes.
    """
    mean = _mean(rows)
    return Skew(tuple(mean), normalised_entropy(entropy(mean), len(mean)))


def batch_prior(rows: Sequence[Sequence[float]], *, steps: int = 1) -> list[float]:
    """The logarithm of the prior that batch calibration divides by, nats, for `divide`.

    Args:
        rows: P(class | text) of every text, over the same classes.
        steps: 1 is the published method, whose prior is the mean of the rows. It takes a preference away in full only
            where texts say little about their class; each further step corrects what the last one left, until the
            corrected mean is even. On classes that are not equally frequent more steps do more harm.

    Raises:
        OptionError: There is no row, or the rows differ in their number of classes.
    """
    logps = [logs(row) for row in rows]
    prior = logs(_mean(rows))
    for _ in range(steps - 1):
        left = logs(_mean([softmax(divide(row, prior)) for row in logps]))
        total = [one + more if more > -math.inf else one for one, more in zip(prior, left, strict=True)]
        prior = logs(softmax(total))
    return prior


def _mean(rows: Sequence[Sequence[float]]) -> list[float]:
    sizes = {len(row) for row in rows}
    if len(sizes) != 1:
        got = "no text" if not sizes else f"texts with {' and '.join(map(str, sorted(sizes)))} classes"
        raise OptionError(f"batch calibration: needs the same classes for every text, got {got}; leave it out")
    return [math.fsum(column) / len(rows) for column in zip(*rows, strict=True)]
