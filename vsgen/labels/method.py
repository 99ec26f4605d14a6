"""How one question becomes a soft label: the methods' voices, averaged; several classes, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from vsgen.flow import Flow, together
from vsgen.labels.bounds import truncated
from vsgen.labels.decided import Asked, decided
from vsgen.labels.examples import Example
from vsgen.labels.layouts import prefaced
from vsgen.labels.mean import detailed, in_orders, mean, several
from vsgen.labels.question import Question, Voice
from vsgen.labels.reasoned import reasoned
from vsgen.labels.scored import scored
from vsgen.labels.settings import Label
from vsgen.labels.soft import label_of
from vsgen.labels.stated import stated
from vsgen.labels.styles import of_traces, of_votes
from vsgen.labels.voted import voted
from vsgen.labels.words import YES_NO, applies
from vsgen.values import SoftLabel, Unlabelled

_UNREAD = "no reply could be read"


def classify(asked: Question, label: Label, rng: Random) -> Flow[SoftLabel | Unlabelled]:
    """Ask a model for the distribution over the classes of one question.

    Args:
        asked: The question.
        label: By which method, with which prompts.
        rng: All randomness of the replies that are drawn.
    """
    if label.kind != "multi" or label.method == "decisions":
        return (yield from _one(asked, label, rng))
    sources, each = [Random(rng.getrandbits(64)) for _ in asked.classes], label.model_copy(update={"kind": "nominal"})
    flows = [_one(_whether(asked, name), each, source) for name, source in zip(asked.classes, sources, strict=True)]
    return several(asked.classes, (yield from together(flows)))


def _whether(asked: Question, name: str) -> Question:
    """The question whether one of several classes applies."""
    shown = [Example(applies(one.text, name), _yes_or_no(one.probs[name])) for one in asked.examples]
    text, free = applies(asked.text, name), tuple(applies(one, name) for one in asked.free)
    return Question(text, YES_NO, free, reverse=asked.reverse, examples=tuple(shown))


def _yes_or_no(yes: float) -> Mapping[str, float]:
    return dict(zip(YES_NO, (yes, 1 - yes), strict=True))


def _one(asked: Question, label: Label, rng: Random) -> Flow[SoftLabel | Unlabelled]:
    if not label.lined:
        asked = prefaced(asked, label)
    match label.method:
        case "score":
            voices = yield from scored(asked, label)
            details: dict[str, object] = {"orders": len(voices)} if len(voices) > 1 else {}
            details |= truncated(asked.classes, voices)
            return in_orders(mean(asked.classes, voices, label.kind, details), voices)
        case "decisions":
            return (yield from decided([Asked(asked, label)]))[0]
        case "reasoning":
            voices = yield from reasoned(asked, label, rng)
            details = {"method": label.method, "traces": len(voices), "cut": sum(voice.cut for voice in voices)}
            details |= of_traces(asked.classes, voices) | truncated(asked.classes, voices)
            return _mean(asked.classes, voices, label, details)
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
    counts = {"replies": ballot.replies, "cut": ballot.cut, "pseudocount": label.pseudocount}
    details: dict[str, object] = {"method": label.method, **counts}
    details |= of_votes(asked.classes, ballot.styles)
    probs = dict(zip(asked.classes, ballot.probs, strict=True))
    return detailed(label_of(label.kind, probs, ballot.valid / ballot.replies), details)


def _mean(
    classes: Sequence[str], voices: Sequence[Voice], label: Label, details: Mapping[str, object]
) -> SoftLabel | Unlabelled:
    return mean(classes, voices, label.kind, details) if voices else Unlabelled(_UNREAD)
