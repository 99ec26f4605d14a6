"""Calibration of soft labels where the true posterior is known: the embedded model on its grammar's unseen texts.

The model scores the classes of 600 texts in the shipped words; a gold class of each is drawn from its true posterior
(seeded). A scaling is fitted to the first 100 and measured on the others, beside the
truth's own figures on the same gold: a log loss below the truth's is luck, and even the truth has a calibration error.
*Too sure* are the same labels squared on purpose. TV is total variation to the true posterior, mean over texts.

Then a bias is added to the logits on purpose, and batch calibration takes it away, in one step (as published) and in
more. Quizzes have classes that are not equally frequent; there it does harm, and warns unless the bias hides the skew.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from vsgen.backends.open import open_model
from vsgen.labels.priors import batch_prior, divide, skew
from vsgen.labels.scaling import Scaling, fit_scaling
from vsgen.labels.words import question
from vsgen.metrics.calibration import one_hot, quality
from vsgen.metrics.skill import class_prior, skill
from vsgen.ports import LanguageModel
from vsgen.probability import invert, softmax
from vsgen.tiny.chat import classified
from vsgen.tiny.grammar.tasks import Question, questions
from vsgen.tiny.grammar.wordings import fill
from vsgen.values import Score

TEXTS = 600
GOLD = 100
BIAS = (1.5, -1.0, 0.0, 0.5)
STEPS = (1, 5, 50)
SEED = 1

Rows = Sequence[Sequence[float]]


class Labelled(NamedTuple):
    """Texts of one question."""

    topic: str
    probs: Rows
    """As scored."""
    truth: Rows
    gold: Rows


def main() -> None:
    """Print two tables."""
    model = open_model("tiny")
    sets = [labelled(model, one) for one in questions()]
    figures = f"{'log loss':>17}{'skill':>9}{'Brier':>9}{'ECE':>9}{'smECE':>9}{'TV':>9}"
    sys.stdout.write(f"{'scaling':<30}{'power':>8}{figures}\n")
    for one in sets:
        scalings(one)
    steps = "".join(f"{f'{n} step' if n == 1 else f'{n} steps':>10}" for n in STEPS)
    sys.stdout.write(f"\n{'batch calibration, TV':<34}{'before':>10}{steps}   warns\n")
    for one in sets:
        priors(f"{one.topic}, as scored", one.probs, one.truth)
        priors(f"{one.topic}, biased", [softmax(shifted(row)) for row in one.probs], one.truth)


def labelled(model: LanguageModel, asked: Question) -> Labelled:
    """Score unseen texts, and draw their gold classes from their true posteriors."""
    rng = Random(SEED)
    asks = [classified(asked, rng, unseen=True) for _ in range(TEXTS)]
    texts = [fill(asked.wordings.shipped, {"text": one.text}) for one in asks]
    scores = model.score([Score(question(text, asked.classes), asked.classes) for text in texts])
    gold = [one_hot(invert(one.posterior, rng.random()), len(asked.classes)) for one in asks]
    return Labelled(asked.topic, [softmax(one.logp) for one in scores], [one.posterior for one in asks], gold)


def scalings(one: Labelled) -> None:
    """A line for the truth, and for each teacher before and after."""
    line(f"{one.topic}, truth", None, one.truth, one)
    for name, rows in (("as scored", one.probs), ("too sure", [squared(row) for row in one.probs])):
        found = fit_scaling(rows[:GOLD], one.gold[:GOLD])
        line(f"{one.topic}, {name}", None, rows, one)
        line(f"{one.topic}, {name}, fitted", found, [found(row) for row in rows], one)


def line(name: str, fit: Scaling | None, rows: Rows, one: Labelled) -> None:
    """Figures of the held-out texts."""
    found = quality(rows[GOLD:], one.gold[GOLD:])
    shown = "" if fit is None else f"{fit.power:.3f}"
    loss = f"{found.log_loss.value:.4f} ± {found.log_loss.error or math.nan:.4f}"
    gain = skill(rows[GOLD:], one.gold[GOLD:], class_prior(one.gold[GOLD:])).value
    figures = (gain, found.brier.value, found.ece, found.smooth, variation(rows[GOLD:], one.truth[GOLD:]))
    sys.stdout.write(f"{name:<30}{shown:>8}{loss:>17}{''.join(f'{figure:>9.4f}' for figure in figures)}\n")


def squared(row: Sequence[float]) -> list[float]:
    """Labels that are too sure by a power of two."""
    return softmax([2 * logp for logp in logs(row)])


def priors(name: str, rows: Rows, truth: Rows) -> None:
    """A line of distances to the truth, before and after batch calibration."""
    offs = [variation(rows, truth)]
    for steps in STEPS:
        prior = batch_prior(rows, steps=steps)
        offs.append(variation([softmax(divide(logs(row), prior)) for row in rows], truth))
    warns = "yes" if skew(rows).uneven else "no"
    sys.stdout.write(f"{name:<34}{''.join(f'{off:>10.4f}' for off in offs)}   {warns}\n")


def shifted(row: Sequence[float]) -> list[float]:
    """Biased logits."""
    return [logp + bias for logp, bias in zip(logs(row), BIAS, strict=False)]


def logs(row: Sequence[float]) -> list[float]:
    """Logarithms, of 0 too."""
    return [math.log(p) if p else -math.inf for p in row]


def variation(rows: Rows, truth: Rows) -> float:
    """Total variation, mean over rows."""
    apart = [sum(abs(p - q) for p, q in zip(row, true, strict=True)) / 2 for row, true in zip(rows, truth, strict=True)]
    return sum(apart) / len(apart)


if __name__ == "__main__":
    main()
