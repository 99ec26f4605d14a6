"""The wires of decision interfaces: typed questions about one text, answered by the probability of every option.

Two forms are in use. *System One* (``/v1/systemone``: vLLM, SGLang, llama.cpp, Ollama, TypeSafe) names questions and
answers by keys, and its servers report P(the reply is an option). *Decisions* (``/v1/decisions``: OpenAI, vLLM) lists
them in order and may refuse single questions. Both say how probable each option is among the options; servers round, so
what they say is renormalized.

Sources: OpenAI's published types (openai-python, ``decision_create_params.py``, ``decision.py``) and the pages
"Structured Decisions" and "Decisions API" of vLLM and "Decision models" of SGLang.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import orjson

from vsgen.backends.endpoint.asking import size_of
from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.reading import error_of, member, read_object, refused, usage_of
from vsgen.backends.endpoint.wire import Abilities, Decisions, Dialog, Said, Unreadable, Usage, Wire, asked
from vsgen.values import Call, Decide, Decided, Decision, Message, Prompt, Refused, TypedQuestion

FORMS: Final[Sequence[Decisions]] = ("systemone", "decisions")
"""The first is the better one: its servers report how probable it is that a reply is an option at all."""
EXAMPLE: Final = Decide("Water is wet.", (TypedQuestion("predicate", "Is this about water?"),))
"""Asks whether there is such an interface."""
NO_ROUTE: Final = "the server has no decision interface"
"""Begins the refusal of a server that has no such route."""
REFUSED: Final = Decision(problem="the server refuses to answer this question")
_MOST: Final = 64
"""Questions of one request, which every server takes."""
_ROUNDED: Final = 0.005
"""By how much servers round a probability, at most."""
_ROUNDED_TOGETHER: Final = 0.1
"""By how much the sum of many may differ from 1 by that: what is left of fewer says too little."""
_TYPES: Final[Mapping[Decisions, Mapping[str, str]]] = {
    "systemone": {"predicate": "noul", "choice": "choice", "score": "score"},
    "decisions": {"predicate": "predicate", "choice": "choice", "score": "score"},
}
"""What each form calls the kinds of questions."""
_ONE_TOKEN: Final = re.compile(r"\b(?:one|single)\b[\w -]{0,20}\btokens?\b", re.IGNORECASE)
"""How servers say that an option, or its label, is of several tokens."""
_MASSES: Final = ("label_mass", "x_label_mass")
"""What servers call P(the reply is one of the options): vLLM, SGLang."""


class DecisionWire:
    """See the module; the form is the one that the server was seen to have."""

    name: Final = "decisions"

    def lacks(self, call: Call, can: Abilities) -> str | None:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        if not isinstance(call, Decide):
            return f"{type(call).__name__.lower()} calls"
        return None if can.decisions else "decision interface for this model"

    def dialog(self, call: Call, model: str, can: Abilities) -> Dialog:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        if (problem := self.lacks(call, can)) is not None or not isinstance(call, Decide) or can.decisions is None:
            return Said(Refused("refused", f"the server has no {problem}"))
        found, usage = list[Decision](), Usage()
        for start in range(0, len(call.questions), _MOST):
            some = call.questions[start : start + _MOST]
            reading = yield from _put(call.state, some, model, can.decisions)
            if isinstance(reading, Refused):
                return Said(reading, usage)
            found += reading.decisions
            usage += reading.usage
        return Said(Decided(tuple(found)), usage)


class WithDecisions:
    """A wire, and beside it the decision interface of the same server."""

    def __init__(self, wire: Wire) -> None:
        """Set up.

        Args:
            wire: Takes all other calls.
        """
        self._wire = wire
        self._deciding = DecisionWire()
        self.name = wire.name
        """See `vsgen.backends.endpoint.wire.Wire`; the wire's own."""

    def lacks(self, call: Call, can: Abilities) -> str | None:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        return self._for(call).lacks(call, can)

    def dialog(self, call: Call, model: str, can: Abilities) -> Dialog:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        return self._for(call).dialog(call, model, can)

    def _for(self, call: Call) -> Wire:
        return self._deciding if isinstance(call, Decide) else self._wire


class _Reading(NamedTuple):
    decisions: Sequence[Decision]
    usage: Usage


def _put(
    state: str, questions: Sequence[TypedQuestion], model: str, form: Decisions
) -> Generator[Request | Unreadable, Response, _Reading | Refused]:
    write, read = (_systemone, _keyed) if form == "systemone" else (_decisions, _listed)
    body = {"model": model, **write(state, questions)}
    each = [Prompt((Message("user", "\n".join([state, one.text, *one.options])),)) for one in questions]
    request = Request(form, orjson.dumps(body), sum(map(size_of, each)) + len(questions))
    return (yield from asked(request, partial(_read, questions=questions, read=read)))


def _systemone(state: str, questions: Sequence[TypedQuestion]) -> dict[str, Any]:
    return {"state": state, "questions": dict(zip(_names(questions), map(_question, questions), strict=True))}


def _question(one: TypedQuestion) -> dict[str, Any]:
    asking = {"type": _TYPES["systemone"][one.kind], "instructions": one.text}
    match one.kind:
        case "predicate":
            return asking
        case "choice":
            return {**asking, "criteria": dict.fromkeys(one.options)}
        case "score":
            return {**asking, "criteria": list(one.options)}


def _decisions(state: str, questions: Sequence[TypedQuestion]) -> dict[str, Any]:
    listed = [
        {"type": _TYPES["decisions"][one.kind], "name": name, "instructions": one.text, **_options(one)}
        for name, one in zip(_names(questions), questions, strict=True)
    ]
    return {"input": state, "questions": listed}


def _options(one: TypedQuestion) -> dict[str, Any]:
    match one.kind:
        case "predicate":
            return {}
        case "choice":
            return {"choices": [{"value": option} for option in one.options]}
        case "score":
            return {"levels": [{"label": option} for option in one.options]}


def _names(questions: Sequence[TypedQuestion]) -> list[str]:
    """Names that say nothing, since some models read them."""
    return [f"q{i}" for i in range(1, len(questions) + 1)]


def _read(
    response: Response,
    questions: Sequence[TypedQuestion],
    read: Callable[[Mapping[str, Any], Sequence[TypedQuestion]], list[Decision]],
) -> _Reading | Refused:
    if response.status >= 300:
        return _refused(response)
    said = read_object(response)
    return _Reading(read(said, questions), usage_of(said, "input_tokens", "output_tokens"))


def _refused(response: Response) -> Refused:
    """Why a request is refused, and what to do about it."""
    words = f"(status {response.status}): {error_of(response)}"
    if response.status in {404, 405}:
        return Refused("refused", f"{NO_ROUTE} {words}")
    if response.status == 501:
        return Refused("refused", f"the server does not decide with this model {words}")
    found = refused(response)
    if found.why == "refused" and _ONE_TOKEN.search(found.problem):
        words = "a decision interface reads one token for each class: use other names for the classes, or method: score"
        return Refused("refused", f"{found.problem}; {words}")
    return found


def _keyed(said: Mapping[str, Any], questions: Sequence[TypedQuestion]) -> list[Decision]:
    """The answers of System One, by the questions' names."""
    answers, aside = member(said, "answers", dict), said.get("diagnostics")
    found = []
    for name, one in zip(_names(questions), questions, strict=True):
        answer = member(answers, name, dict)
        beside = aside.get(name) if isinstance(aside, dict) else None
        mass = _mass(beside if isinstance(beside, dict) else answer)
        found.append(_decision(answer, one, _TYPES["systemone"][one.kind], _by_key, mass))
    return found


def _listed(said: Mapping[str, Any], questions: Sequence[TypedQuestion]) -> list[Decision]:
    """The answers of OpenAI's form, in the order of the questions."""
    answers = member(said, "answers", list)
    if len(answers) != len(questions) or not all(isinstance(one, dict) for one in answers):
        raise Unreadable(f"the reply has {len(answers)} answers to {len(questions)} questions")
    if any(one.get("name") not in (None, name) for name, one in zip(_names(questions), answers, strict=True)):
        raise Unreadable("the reply's answers are not in the order of the questions")
    return [
        _decision(answer, one, _TYPES["decisions"][one.kind], _by_place, _mass(answer))
        for answer, one in zip(answers, questions, strict=True)
    ]


def _decision(
    answer: Mapping[str, Any],
    one: TypedQuestion,
    kind: str,
    each: Callable[[Mapping[str, Any], TypedQuestion], list[Any]],
    mass: float | None,
) -> Decision:
    """An answer that is one to the question, or a refusal.

    Raises:
        Unreadable: It is neither.
    """
    if answer.get("type") == "refusal":
        return REFUSED
    if answer.get("type") != kind:
        raise Unreadable(f"the reply answers a question of type {kind!r} by another type")
    if one.kind == "predicate":
        yes: Any = answer.get("noul" if kind == "noul" else "probability")
        return Decision(_shares([yes, 1 - yes if type(yes) in (int, float) else yes]), mass)
    return Decision(_shares(each(answer, one)), mass)


def _by_key(answer: Mapping[str, Any], one: TypedQuestion) -> list[Any]:
    """Probabilities by the option's name or the level's place."""
    probs = member(answer, "probabilities", dict)
    keys = one.options if one.kind == "choice" else [str(i) for i in range(len(one.options))]
    return [probs.get(key) for key in keys]


def _by_place(answer: Mapping[str, Any], one: TypedQuestion) -> list[Any]:
    """Probabilities that each name their option or their level's place."""
    listed = member(answer, "probabilities", list)
    kind, keys = (str, one.options) if one.kind == "choice" else (int, range(len(one.options)))
    named = [each for each in listed if isinstance(each, dict) and type(each.get("value")) is kind]
    probs = {each["value"]: each.get("probability") for each in named}
    return [probs.get(key) for key in keys]


def _shares(values: Sequence[Any]) -> tuple[float, ...]:
    """Probabilities that sum to 1 but for the server's rounding, without that.

    Raises:
        Unreadable: They are none.
    """
    if not all(type(one) in (int, float) and 0 <= one <= 1 for one in values):
        raise Unreadable("the reply has no probability for each option")
    total = math.fsum(values)
    if abs(total - 1) > min(_ROUNDED * len(values), _ROUNDED_TOGETHER):
        raise Unreadable(f"the reply's probabilities sum to {total:.3g}")
    return tuple(one / total for one in values)


def _mass(beside: Mapping[str, Any]) -> float | None:
    found: Any = next((beside[name] for name in _MASSES if name in beside), None)
    return min(1.0, float(found)) if type(found) in (int, float) and 0 <= found <= 1 + _ROUNDED else None
