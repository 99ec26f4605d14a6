"""Method decisions: P(class | text) as a server's decision interface reports it, from one pass over the text.

Several labels of one text are several questions of one request. One class out of many is a choice, an order of classes
a score, and each of several classes that may apply a predicate. Servers read one token for each option: the letter
before it, its number, or yes and no. So a class's name has no length, and P(the reply is an option) is that of letters.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from vsgen.flow import Flow, ask_all
from vsgen.labels.mean import detailed, in_orders, mean, several
from vsgen.labels.orders import restored
from vsgen.labels.question import Question, Voice
from vsgen.labels.settings import Kind, Label
from vsgen.labels.words import YES_NO, applies
from vsgen.probability import logs
from vsgen.values import Decide, Decision, SoftLabel, TypedQuestion, Unlabelled


class Asked(NamedTuple):
    """What is asked, and how."""

    question: Question
    label: Label


def decided(asked: Sequence[Asked]) -> Flow[list[SoftLabel | Unlabelled]]:
    """Ask several labels at once, those about the same text in one call; a question that is refused is unlabelled.

    Raises:
        CallError: A call is refused, whichever question is to blame.
    """
    each = [_typed(one) for one in asked]
    together = dict[str, list[int]]()
    for i, one in enumerate(asked):
        together.setdefault(one.question.state, []).append(i)
    calls = [Decide(state, tuple(one for i in at for one in each[i])) for state, at in together.items()]
    made = dict[int, SoftLabel | Unlabelled]()
    for at, reply in zip(together.values(), (yield from ask_all(calls)), strict=True):
        left = iter(reply.decisions)
        made |= {i: _said(_label(asked[i], each[i], [next(left) for _ in each[i]])) for i in at}
    return [made[i] for i in range(len(asked))]


def apart(prompt: str, texts: Sequence[tuple[str, object]], otherwise: str) -> tuple[str, str]:
    """What a label's prompt is about, and what it asks.

    Args:
        prompt: With the texts in it.
        texts: The fields that it is about, by name. One is the state itself, several are a JSON object; where there is
            none, the whole prompt is the state.
        otherwise: The question where the prompt is the text alone.

    Returns:
        The state, and the prompt without it if it begins or ends with it, else the whole prompt.
    """
    if not texts:
        return prompt, otherwise
    state = str(texts[0][1]) if len(texts) == 1 else json.dumps(dict(texts), ensure_ascii=False, default=str)
    text, rest = state.strip(), prompt.strip()
    rest = rest.removesuffix(text) if rest.endswith(text) else rest.removeprefix(text)
    return state, rest.strip() or otherwise


def _typed(asked: Asked) -> list[TypedQuestion]:
    text, classes = asked.question.text, asked.question.classes
    match asked.label.kind:
        case "multi":
            return [TypedQuestion("predicate", applies(text, name)) for name in classes]
        case "ordinal":
            return [TypedQuestion("score", text, classes)]
        case "nominal":
            return [TypedQuestion("choice", text, order) for order in asked.question.orders(asked.label.permutations)]


def _label(asked: Asked, questions: Sequence[TypedQuestion], decisions: Sequence[Decision]) -> SoftLabel | Unlabelled:
    """The label that the answers to its questions are."""
    classes, kind = asked.question.classes, asked.label.kind
    if kind == "multi":
        return several(classes, [_mean(YES_NO, "nominal", [YES_NO], [one]) for one in decisions])
    return _mean(classes, kind, [one.options for one in questions], decisions)


def _said(made: SoftLabel | Unlabelled) -> SoftLabel | Unlabelled:
    """The label, which says so if its mass is not known: some servers report it, and some do not."""
    if isinstance(made, Unlabelled) or made.label_mass is not None:
        return made
    return detailed(made, {"label_mass": None})


def _mean(
    classes: tuple[str, ...], kind: Kind, listings: Sequence[tuple[str, ...]], decisions: Sequence[Decision]
) -> SoftLabel | Unlabelled:
    """The mean over the orders in which the classes are listed; no label if a question is refused."""
    if problem := next((one.problem for one in decisions if one.problem), None):
        return Unlabelled(problem)
    each = zip(listings, decisions, strict=True)
    voices = [Voice(restored(logs(one.probs), listing, classes), one.mass) for listing, one in each]
    details: dict[str, object] = {"method": "decisions"} | ({"orders": len(voices)} if len(voices) > 1 else {})
    return in_orders(mean(classes, voices, kind, details), voices)
