"""How one question becomes a soft label: the methods' voices, averaged; several classes, one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

from vsgen.flow import Flow, together
from vsgen.labels.bounds import truncated
from vsgen.labels.question import Question, Voice
from vsgen.labels.reasoned import reasoned
from vsgen.labels.scored import scored
from vsgen.labels.settings import Label
from vsgen.labels.soft import entropy, label_of, multi_label
from vsgen.labels.stated import stated
from vsgen.labels.voted import voted
from vsgen.labels.words import YES_NO, applies
from vsgen.probability import softmax
from vsgen.values import SoftLabel, Unlabelled

_UNREAD = "no reply could be read"
_COUNTED = ("traces", "replies", "read", "cut")


def classify(asked: Question, label: Label, rng: Random) -> Flow[SoftLabel | Unlabelled]:
    """Ask a model for the distribution over the classes of one question.

    Args:
        asked: The question.
        label: By which method, with which prompts.
        rng: All randomness of the replies that are drawn.
    """
    if label.kind != "multi":
        return (yield from _one(asked, label, rng))
    sources, each = [Random(rng.getrandbits(64)) for _ in asked.classes], label.model_copy(update={"kind": "nominal"})
    flows = [
        _one(Question(applies(asked.text, name), YES_NO, applies(asked.free, name)), each, source)
        for name, source in zip(asked.classes, sources, strict=True)
    ]
    return _several(asked.classes, (yield from together(flows)))


def _one(asked: Question, label: Label, rng: Random) -> Flow[SoftLabel | Unlabelled]:
    match label.method:
        case "score":
            voices = yield from scored(asked, label)
            details: dict[str, object] = {"orders": len(voices)} if len(voices) > 1 else {}
            return _mean(asked.classes, voices, label, details | truncated(asked.classes, voices))
        case "reasoning":
            voices = yield from reasoned(asked, label, rng)
            details = {"method": label.method, "traces": len(voices), "cut": sum(voice.cut for voice in voices)}
            return _mean(asked.classes, voices, label, details | truncated(asked.classes, voices))
        case "verbalized":
            voices = yield from stated(asked, label, rng)
            details = {"method": label.method, "replies": label.count, "read": len(voices)}
            return _mean(asked.classes, voices, label, details)
        case "votes":
            return (yield from _counted(asked, label, rng))


def _counted(asked: Question, label: Label, rng: Random) -> Flow[SoftLabel | Unlabelled]:
    ballot = yield from voted(asked, label, rng)
    if not ballot.valid:
        return Unlabelled(_UNREAD)
    details = {"method": label.method, "replies": ballot.replies, "cut": ballot.cut, "pseudocount": label.pseudocount}
    probs = dict(zip(asked.classes, ballot.probs, strict=True))
    return _with(label_of(label.kind, probs, ballot.valid / ballot.replies), details)


def _mean(
    classes: Sequence[str], voices: Sequence[Voice], label: Label, details: Mapping[str, object]
) -> SoftLabel | Unlabelled:
    """The mean of the voices' distributions, and how far they are apart."""
    if not voices:
        return Unlabelled(_UNREAD)
    each = [softmax(voice.logps) for voice in voices]
    means = _means(each)
    masses = [voice.mass for voice in voices if voice.mass is not None]
    mass = math.fsum(masses) / len(masses) if masses else None
    made = label_of(label.kind, dict(zip(classes, means, strict=True)), mass)
    if raw := [softmax(voice.raw) for voice in voices if voice.raw is not None]:
        made = _with(made, {"raw": dict(zip(classes, _means(raw), strict=True))})
    if len(each) == 1:
        return _with(made, details)
    between = max(0.0, entropy(means) - math.fsum(map(entropy, each)) / len(each))
    return replace(_with(made, {**details, "spread": _spread(made.probs, each)}), disagreement=between)


def _means(each: Sequence[Sequence[float]]) -> list[float]:
    return [math.fsum(column) / len(each) for column in zip(*each, strict=True)]


def _spread(means: Mapping[str, float], each: Sequence[Sequence[float]]) -> dict[str, float]:
    """The standard deviation of each class's probability between several voices."""
    columns = zip(means.items(), zip(*each, strict=True), strict=True)
    squares = {name: math.fsum((x - mean) ** 2 for x in column) for (name, mean), column in columns}
    return {name: math.sqrt(square / (len(each) - 1)) for name, square in squares.items()}


def _with(made: SoftLabel, details: Mapping[str, object]) -> SoftLabel:
    return replace(made, details={**details, **made.details})


def _several(classes: Sequence[str], answers: Sequence[SoftLabel | Unlabelled]) -> SoftLabel | Unlabelled:
    """The probabilities of yes, one for each class."""
    found = [answer for answer in answers if isinstance(answer, SoftLabel)]
    lost = [f"{name}: {one.problem}" for name, one in zip(classes, answers, strict=True) if isinstance(one, Unlabelled)]
    if lost:
        return Unlabelled("; ".join(lost))
    masses = [one.label_mass for one in found if one.label_mass is not None]
    apart = [one.disagreement for one in found if one.disagreement is not None]
    probs = {name: one.probs[YES_NO[0]] for name, one in zip(classes, found, strict=True)}
    made = _with(multi_label(probs, min(masses) if masses else None), _gathered(classes, found))
    return replace(made, disagreement=math.fsum(apart) if apart else None)


def _gathered(classes: Sequence[str], found: Sequence[SoftLabel]) -> dict[str, object]:
    """How several labels were made: counts are summed, what each class has is that of its yes, the rest is the same."""
    details: dict[str, object] = {}
    for key in dict.fromkeys(key for one in found for key in one.details):
        each = [one.details.get(key) for one in found]
        first = next((one for one in each if one is not None), None)
        if key in _COUNTED:
            details[key] = sum(count for count in each if isinstance(count, int))
        elif not isinstance(first, Mapping):
            details[key] = first
        elif all(each):
            details[key] = {
                name: of[YES_NO[0]] for name, of in zip(classes, each, strict=True) if isinstance(of, Mapping)
            }
    return details
