"""Calibration of soft labels where the true posterior is known: the embedded model on its grammar's unseen texts.

The model scores the classes of 600 texts in the shipped words; a gold class of each is drawn from its true posterior
(seeded). A temperature, with its standard error, is fitted to the first 100 and measured on the others, beside the
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
from vsgen.labels.temperature import Fitted, fit_temperature, tempered
from vsgen.labels.words import question
from vsgen.metrics.calibration import quality
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
    gold: Sequence[int]


def main() -> None:
    """Print two tables."""
    model = open_model("tiny")
    sets = [labelled(model, one) for one in questions()]
    figures = f"{'log loss':>17}{'Brier':>9}{'ECE':>9}{'TV':>9}"
    sys.stdout.write(f"{'temperature':<30}{'T':>14}{figures}\n")
    for one in sets:
        temperatures(one)
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
    gold = [invert(one.posterior, rng.random()) for one in asks]
    return Labelled(asked.topic, [softmax(one.logp) for one in scores], [one.posterior for one in asks], gold)


def temperatures(one: Labelled) -> None:
    """A line for the truth, and for each teacher before and after."""
    line(f"{one.topic}, truth", None, one.truth, one)
    for name, rows in (("as scored", one.probs), ("too sure", [tempered(row, 0.5) for row in one.probs])):
        found = fit_temperature(rows[:GOLD], one.gold[:GOLD])
        line(f"{one.topic}, {name}", None, rows, one)
        fitted = [tempered(row, found.temperature) for row in rows]
        line(f"{one.topic}, {name}, fitted", found, fitted, one)


def line(name: str, fit: Fitted | None, rows: Rows, one: Labelled) -> None:
    """Figures of the held-out texts."""
    found = quality(rows[GOLD:], one.gold[GOLD:])
    shown = "" if fit is None else f"{fit.temperature:.3f} ± {fit.error or math.nan:.3f}"
    loss = f"{found.log_loss.value:.4f} ± {found.log_loss.error or math.nan:.4f}"
    off = variation(rows[GOLD:], one.truth[GOLD:])
    sys.stdout.write(f"{name:<30}{shown:>14}{loss:>17}{found.brier.value:>9.4f}{found.ece:>9.4f}{off:>9.4f}\n")


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
