"""How near a model's answers come to a distribution that is known: the measures of arXiv 2605.11845.

Wasserstein-1 is exact between the empirical and the target distribution, as the integral over the quantile functions'
distance. The paper does not say what it divides by; here it is the target's interquartile range, which a Cauchy
distribution has as well. The divergence is the exact one over whole answers, sum of p (log p - log M): by the chain
rule it is the sum over all prefixes of their probability times the divergence of their next tokens.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from vsgen.values import Taught

_ROUNDING = 1e-12
"""Of summed probabilities."""
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)
_ANSWER = re.compile(
    r"(?i:\banswer|\bcorrect (?:option|choice))[\s:=*_(\"'–-]*(?i:is\b)?[\s:=*_(\"'–-]*([A-D])\b(?!['’])"
)
"""The letter must be a capital: "the answer is a dog" names none."""


def wasserstein1(drawn: Sequence[float], values: Sequence[float], probs: Sequence[float]) -> float | None:
    """Wasserstein-1 distance of draws to a discrete target, in the values' unit; None without draws.

    Args:
        drawn: In any order.
        values: The target's support, ascending.
        probs: One per value, in sum 1.
    """
    if not drawn:
        return None
    ours, theirs = np.arange(1, len(drawn) + 1) / len(drawn), _reached(probs)
    levels = np.union1d(ours, theirs)
    found = np.sort(np.asarray(drawn, np.float64))[_places(ours, levels)]
    wanted = np.asarray(values, np.float64)[_places(theirs, levels)]
    return float(np.abs(found - wanted) @ np.diff(levels, prepend=0.0))


def expected_wasserstein1(values: Sequence[float], probs: Sequence[float], draws: int) -> float:
    """What `wasserstein1` is on average when the draws are the target's own: the integral of the mean of |F_n - F|."""
    gaps = np.diff(np.asarray(values, np.float64))
    return float(gaps @ _mean_deviation(_reached(probs)[:-1], draws))


def interquartile(values: Sequence[float], probs: Sequence[float]) -> float:
    """The width of a discrete distribution's middle half; 0 where one value holds it."""
    low, high = np.searchsorted(_reached(probs) + _ROUNDING, [0.25, 0.75])
    return values[int(high)] - values[int(low)]


def divergence(probs: Sequence[float], logps: Sequence[float]) -> float:
    """Kullback-Leibler divergence, in nats, of a model's answers from the target; infinite if it excludes one.

    Args:
        probs: The target's, in sum 1.
        logps: log P(the whole answer) under the model, one per answer; what it gives to other answers is lost to it.
    """
    return max(0.0, math.fsum(p * (math.log(p) - logp) for p, logp in zip(probs, logps, strict=True) if p > 0))


def support_size(probs: Sequence[float], share: float = 0.9) -> int | None:
    """How few outcomes hold a share of all probability; None if those given do not hold so much together."""
    reached = np.cumsum(np.sort(np.asarray(probs, np.float64))[::-1])
    count = int(np.searchsorted(reached, share - _ROUNDING)) + 1
    return count if count <= len(reached) else None


def first_step(taught: Taught) -> list[float]:
    """The probabilities of a reply's first token, the most probable first."""
    logps = np.frombuffer(taught.top_logps, "<f4", taught.width).astype(np.float64)
    probs: list[float] = np.exp(logps).tolist()
    return probs


def first_line(reply: str) -> str:
    """What counts as a reply's answer: its first line, without case and with single blanks."""
    return " ".join((reply.strip().splitlines() or [""])[0].split()).casefold()


def unique_rate(replies: Sequence[str]) -> float | None:
    """The share of replies whose first lines differ; None without replies."""
    return len({first_line(reply) for reply in replies}) / len(replies) if replies else None


def expected_unique_rate(probs: Sequence[float], draws: int) -> float:
    """What `unique_rate` is on average when the replies are drawn from a distribution."""
    missed = np.power(1.0 - np.asarray(probs, np.float64), draws)
    return float((1.0 - missed).sum() / draws)


def total_variation(counts: Mapping[str, int], target: Mapping[str, float]) -> float | None:
    """Half the summed difference between the counts' shares and the target's; None without counts."""
    total = sum(counts.values())
    if not total:
        return None
    names = counts.keys() | target.keys()
    return 0.5 * math.fsum(abs(counts.get(name, 0) / total - target.get(name, 0.0)) for name in sorted(names))


def expected_total_variation(target: Sequence[float], draws: int) -> float:
    """What `total_variation` is on average when the counts are those of draws from the target."""
    return 0.5 * float(_mean_deviation(np.asarray(target, np.float64), draws).sum())


def read_number(reply: str) -> float | None:
    """The number that a reply consists of; None if it is not one finite number on its first line."""
    line = first_line(reply).replace("−", "-")
    return float(line) if _NUMBER.fullmatch(line) and math.isfinite(float(line)) else None


def read_position(reply: str) -> str | None:
    """The letter, A to D, that a multiple-choice question names as the right one; None if it names none."""
    found = _ANSWER.findall(reply)
    return str(found[-1]).upper() if found else None


def _mean_deviation(probs: NDArray[np.float64], draws: int) -> NDArray[np.float64]:
    """The mean distance of an event's share of the draws from its probability, exactly (de Moivre's formula)."""
    above = np.floor(draws * probs) + 1
    deviation: NDArray[np.float64] = 2 * above * (1 - probs) * stats.binom.pmf(above, draws, probs) / draws
    return deviation


def _reached(probs: Sequence[float]) -> NDArray[np.float64]:
    """The distribution function after each value; exactly 1 after the last."""
    reached = np.cumsum(np.asarray(probs, np.float64))
    reached[-1] = 1.0
    return np.minimum(reached, 1.0)


def _places(reached: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.int64]:
    """The quantile function, as positions, just below each level."""
    return np.searchsorted(reached, levels)
