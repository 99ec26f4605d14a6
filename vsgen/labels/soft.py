"""A soft label: the teacher's distribution over the classes, with what it says about itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from vsgen.labels.settings import Kind
from vsgen.values import SoftLabel

UNANSWERED: Final = 0.05
"""Median probability of the classes together, below which the model does not answer the question. There the labels of
SmolLM2 were right no more often than by chance (.33 to .43 of three classes)."""


def entropy(probs: Sequence[float]) -> float:
    """Of a distribution, nats."""
    return abs(math.fsum(p * math.log(p) for p in probs if p > 0))


def mixture(each: Sequence[Sequence[float]], weights: Sequence[float] | None = None) -> list[float]:
    """The mean of several distributions over the same classes.

    Args:
        each: At least one.
        weights: How probable each of them is; they sum to 1. All alike if None.
    """
    columns = zip(*each, strict=True)
    if weights is None:
        return [math.fsum(column) / len(each) for column in columns]
    return [math.fsum(w * p for w, p in zip(weights, column, strict=True)) for column in columns]


def likeliest(values: Sequence[float]) -> int:
    """The place of the largest; of equal ones the first."""
    return max(range(len(values)), key=values.__getitem__)


def mutual_information(each: Sequence[Sequence[float]], weights: Sequence[float] | None = None) -> float:
    """Between the class and which of several distributions it is drawn from, nats; arguments as for `mixture`."""
    inner = list(map(entropy, each))
    mean = (
        math.fsum(inner) / len(inner)
        if weights is None
        else math.fsum(w * one for w, one in zip(weights, inner, strict=True))
    )
    return max(0.0, entropy(mixture(each, weights)) - mean)


def soft_label(probs: Mapping[str, float], mass: float | None) -> SoftLabel:
    """A distribution over classes with its entropy and margin.

    Args:
        probs: They sum to 1; a single class is certain.
        mass: See `SoftLabel.label_mass`.
    """
    first, second, *_ = sorted([*probs.values(), 0.0], reverse=True)
    return SoftLabel(probs, entropy(list(probs.values())), first - second, mass)


def ordinal_label(probs: Mapping[str, float], mass: float | None) -> SoftLabel:
    """The same for classes with an order, and the mean and standard deviation on their scale.

    The scale is the classes' own numbers if all are numbers, else their places from 1.
    """
    scale = _numbers(list(probs))
    mean = math.fsum(p * x for p, x in zip(probs.values(), scale, strict=True))
    variance = math.fsum(p * (x - mean) ** 2 for p, x in zip(probs.values(), scale, strict=True))
    details = {"kind": "ordinal", "mean": mean, "sd": math.sqrt(variance)}
    return replace(soft_label(probs, mass), details=details)


def multi_label(probs: Mapping[str, float], mass: float | None) -> SoftLabel:
    """The probabilities that each of several classes applies, independently; they need not sum to 1."""
    each = list(probs.values())
    bits = math.fsum(entropy([p, 1 - p]) for p in each)
    return SoftLabel(probs, bits, min(abs(2 * p - 1) for p in each), mass, details={"kind": "multi"})


def label_of(kind: Kind, probs: Mapping[str, float], mass: float | None) -> SoftLabel:
    """The label of one kind."""
    match kind:
        case "nominal":
            return soft_label(probs, mass)
        case "ordinal":
            return ordinal_label(probs, mass)
        case "multi":
            return multi_label(probs, mass)


def corrected(label: SoftLabel, probs: Mapping[str, float]) -> SoftLabel:
    """The label with other probabilities, and those it had first as ``raw`` among its details."""
    raw = label.details.get("raw", dict(label.probs))
    made = label_of(kind_of(label), probs, label.label_mass)
    kept = {name: value for name, value in label.details.items() if name != "bounds"}  # they are those of `raw`
    return replace(made, disagreement=label.disagreement, details={**kept, **made.details, "raw": raw})


def uncorrected(label: SoftLabel) -> SoftLabel:
    """The label as the model gave it, before any prior was divided out."""
    raw = label.details.get("raw")
    return label_of(kind_of(label), raw, label.label_mass) if isinstance(raw, Mapping) else label


def distributions(label: SoftLabel) -> list[list[float]]:
    """What the label says as distributions that each sum to 1: one, or one (yes, no) for each class that may apply."""
    each = list(label.probs.values())
    return [[p, 1 - p] for p in each] if kind_of(label) == "multi" else [each]


def redistributed(label: SoftLabel, each: Sequence[Sequence[float]]) -> SoftLabel:
    """The label with other distributions, of the form of `distributions`; see `corrected`."""
    probs = [yes for yes, _ in each] if kind_of(label) == "multi" else each[0]
    return corrected(label, dict(zip(label.probs, probs, strict=True)))


def kind_of(label: SoftLabel) -> Kind:
    """Whether one class is right, classes have an order, or several may apply."""
    match label.details.get("kind"):
        case "ordinal":
            return "ordinal"
        case "multi":
            return "multi"
        case _:
            return "nominal"


def _numbers(classes: Sequence[str]) -> list[float]:
    try:
        found = [float(name) for name in classes]
    except ValueError:
        found = []
    return found if found and all(map(math.isfinite, found)) else [float(i) for i in range(1, len(classes) + 1)]
