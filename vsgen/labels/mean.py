"""What voices come to: the mean of their distributions, and how far they are apart; several classes, one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from vsgen.labels.question import Voice
from vsgen.labels.settings import Kind
from vsgen.labels.soft import label_of, likeliest, mixture, multi_label, mutual_information
from vsgen.labels.words import YES_NO
from vsgen.probability import softmax
from vsgen.values import SoftLabel, Unlabelled

_SUMMED = ("traces", "replies", "read", "cut", "disagreement", "between_styles", "within_styles")
_STYLES = "styles"


def mean(classes: Sequence[str], voices: Sequence[Voice], kind: Kind, details: Mapping[str, object]) -> SoftLabel:
    """The mean of the voices' distributions, and how far they are apart.

    Args:
        classes: In the order of the voices' weights.
        voices: At least one.
        kind: Of the label.
        details: What else is known of how it was made.
    """
    each = [softmax(voice.logps) for voice in voices]
    means = mixture(each)
    masses = [voice.mass for voice in voices if voice.mass is not None]
    mass = math.fsum(masses) / len(masses) if masses else None
    made = label_of(kind, dict(zip(classes, means, strict=True)), mass)
    if raw := [softmax(voice.raw) for voice in voices if voice.raw is not None]:
        made = detailed(made, {"raw": dict(zip(classes, mixture(raw), strict=True))})
    if len(each) == 1:
        return detailed(made, details)
    spread = spread_of(made.probs, each)
    return replace(detailed(made, {**details, "spread": spread}), disagreement=mutual_information(each))


def in_orders(made: SoftLabel, voices: Sequence[Voice]) -> SoftLabel:
    """The label, which knows whether its voices differ in the likeliest class, each of which is an order's."""
    if len(voices) == 1:
        return made
    return replace(made, order_flips=(len({likeliest(voice.logps) for voice in voices}) > 1,))


def spread_of(means: Mapping[str, float], each: Sequence[Sequence[float]]) -> dict[str, float]:
    """The standard deviation of each class's probability between several distributions, at least two."""
    columns = zip(means.items(), zip(*each, strict=True), strict=True)
    squares = {name: math.fsum((x - mean) ** 2 for x in column) for (name, mean), column in columns}
    return {name: math.sqrt(square / (len(each) - 1)) for name, square in squares.items()}


def detailed(made: SoftLabel, details: Mapping[str, object]) -> SoftLabel:
    """The label with these details in front of its own."""
    return replace(made, details={**details, **made.details})


def several(classes: Sequence[str], answers: Sequence[SoftLabel | Unlabelled]) -> SoftLabel | Unlabelled:
    """The probabilities of yes, one for each class."""
    found = [answer for answer in answers if isinstance(answer, SoftLabel)]
    lost = [f"{name}: {one.problem}" for name, one in zip(classes, answers, strict=True) if isinstance(one, Unlabelled)]
    if lost:
        return Unlabelled("; ".join(lost))
    masses = [one.label_mass for one in found if one.label_mass is not None]
    apart = [one.disagreement for one in found if one.disagreement is not None]
    probs = {name: one.probs[YES_NO[0]] for name, one in zip(classes, found, strict=True)}
    made = detailed(
        multi_label(probs, min(masses) if masses else None), _gathered(classes, [one.details for one in found])
    )
    flips = tuple(flipped for one in found for flipped in one.order_flips)
    return replace(made, disagreement=math.fsum(apart) if apart else None, order_flips=flips)


def _gathered(classes: Sequence[str], found: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """How several labels were made: sums are added, what each class has is that of its yes, the rest is the same."""
    details: dict[str, object] = {}
    for key in dict.fromkeys(key for one in found for key in one):
        each = [one.get(key) for one in found]
        first = next((one for one in each if one is not None), None)
        if key in _SUMMED:
            counts = [count for count in each if isinstance(count, int | float)]
            details[key] = sum(counts) if counts else None
        elif key == _STYLES:
            details[key] = _of_styles(classes, [one for one in each if isinstance(one, Mapping)])
        elif not isinstance(first, Mapping):
            details[key] = first
        elif all(each):
            details[key] = {
                name: of[YES_NO[0]] for name, of in zip(classes, each, strict=True) if isinstance(of, Mapping)
            }
    return details


def _of_styles(classes: Sequence[str], found: Sequence[Mapping[str, Mapping[str, object]]]) -> dict[str, object]:
    """What each style says of several labels, as far as it says something of all of them."""
    styles = [style for style in found[0] if all(style in one for one in found)]
    return {style: _gathered(classes, [one[style] for one in found]) for style in styles}
