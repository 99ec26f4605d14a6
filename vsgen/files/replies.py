"""Replies, read back from a line of a journal: of the right shape and types throughout, or not at all.

A checksum tells that a line is as it was written, not who wrote it, and the lines of before there were checksums have
none. So nothing is taken for a reply that no model could have given to the call.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import countOf
from typing import Any, Final

from vsgen.values import (
    Call,
    Completion,
    Decide,
    Decided,
    Decision,
    Embed,
    Generate,
    Reply,
    Score,
    Scores,
    Taught,
    Teach,
    TypedQuestion,
    Usage,
    Vector,
    Verified,
    Verify,
)

KINDS: Final[Mapping[type[Call], str]] = {
    Generate: "generate",
    Score: "score",
    Decide: "decide",
    Teach: "teach",
    Embed: "embed",
    Verify: "check",
}
"""What a line calls each kind of call."""
_LATER: Final = frozenset({"logps", "logqs", "count", "lower", "upper", "usage"})
"""Members that the first journals do not have."""
_RARE: Final[Mapping[type[Reply], tuple[str, ...]]] = {
    Completion: ("count", "usage"),
    Scores: ("lower", "upper", "usage"),
    Decided: ("usage",),
    Taught: ("usage",),
}
"""Members that only servers' replies have, and that are not written where they say nothing."""
_ROUNDED: Final = 1.0
"""What no log-probability exceeds, however coarsely a model computes."""
_ROUNDING: Final = 1e-9
"""By how much probabilities that sum to 1 may miss it."""
_WIDTH: Final = 4
"""Bytes of one of `Taught`'s packed numbers."""


class Unreadable(ValueError):
    """Not a reply to the call."""


def read_reply(call: Call, kind: object, said: object) -> Reply:
    """The reply to a call that a line holds.

    Args:
        call: What was asked.
        kind: Of the call, as the line names it.
        said: The line's reply, parsed.

    Raises:
        Unreadable: It is none.
    """
    if kind != KINDS[type(call)] or not isinstance(said, dict):
        raise Unreadable
    reply = _reply(call, said)
    if not _fits(call, reply):
        raise Unreadable
    return reply


def said_reply(reply: Reply) -> object:
    """What a line holds of a reply: its members, but for the rare ones that it has not."""
    rare = _RARE.get(type(reply), ())
    if not rare:
        return reply
    absent = {name for name in rare if not getattr(reply, name)}
    return {name: getattr(reply, name) for name in reply.__slots__ if name not in absent}


def _reply(call: Call, said: Mapping[str, Any]) -> Reply:
    match call:
        case Generate():
            return Completion(**_members(said, _COMPLETION))
        case Score():
            return Scores(**_members(said, _SCORES))
        case Decide():
            return Decided(**_members(said, _DECIDED))
        case Teach():
            return Taught(**_members(said, _TAUGHT))
        case Embed():
            return _old_vector(_members(said, {"data": _packed})["data"])
        case Verify():
            return Verified(**_members(said, _VERIFIED))
        case _:
            raise Unreadable


def _fits(call: Call, reply: Reply) -> bool:
    """Whether the lengths of what belongs together are equal."""
    match call, reply:
        case Generate(), Completion(tokens=tokens, logps=logps, logqs=logqs):
            return all(len(steps) in (0, len(tokens)) for steps in (logps, logqs))
        case Score(choices=choices), Scores(logp=logp, lower=lower, upper=upper):
            return len(logp) == len(choices) and all(len(bound) in (0, len(logp)) for bound in (lower, upper))
        case Decide(questions=questions), Decided(decisions=decisions):
            return len(decisions) == len(questions) and all(map(_answers, questions, decisions))
        case Teach(top=top), Taught(tokens=tokens, width=width):
            size = len(tokens) * width * _WIDTH
            packed = all(len(data) == size for data in (reply.top_ids, reply.top_logps))
            return packed and 0 < width <= top and len(reply.logps) == len(tokens) > 0
        case _:
            return True


def _answers(question: TypedQuestion, decision: Decision) -> bool:
    """Whether it is an answer to the question, or says why there is none."""
    if decision.problem:
        return not decision.probs
    whole = math.isclose(math.fsum(decision.probs), 1.0, abs_tol=_ROUNDING)
    return len(decision.probs) == (len(question.options) or 2) and whole


def _members(said: Mapping[str, Any], kinds: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    if not said.keys() <= kinds.keys() or not kinds.keys() - said.keys() <= _LATER:
        raise Unreadable
    return {name: kinds[name](value) for name, value in said.items()}


def _of(*kinds: type) -> Callable[[Any], Any]:
    def exactly(value: Any) -> Any:
        if type(value) not in kinds:  # True is an int as well
            raise Unreadable
        return value

    return exactly


def _or_none(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


def _tuple_of(kind: type, *others: type) -> Callable[[Any], tuple[Any, ...]]:
    allowed = {kind, *others}

    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise Unreadable
        if (
            countOf(map(type, value), kind) != len(value) and not set(map(type, value)) <= allowed
        ):  # the first is faster
            raise Unreadable
        return tuple(value)

    return read


def _log_probabilities(value: Any) -> tuple[float, ...]:
    """JSON has no infinity, so the log of 0 is written as null."""
    read = tuple(-math.inf if one is None else one for one in _tuple_of(*_NUMBER, type(None))(value))
    if max(read, default=0.0) > _ROUNDED:
        raise Unreadable
    return read


def _probability(value: Any) -> float:
    read = _of(*_NUMBER)(value)
    if not 0 <= read <= 1:
        raise Unreadable
    return float(read)


def _decisions(value: Any) -> tuple[Decision, ...]:
    return tuple(Decision(**_members(_of(dict)(one), _DECISION)) for one in _of(list)(value))


def _packed(value: Any) -> bytes:
    try:
        return base64.b64decode(_of(str)(value), validate=True)
    except ValueError as error:
        raise Unreadable from error


def _old_vector(data: bytes) -> Vector:
    """One of float32 components, from the time when vectors lay in the journal."""
    count, rest = divmod(len(data), 4)
    floats = () if rest else struct.unpack(f"<{count}f", data)
    if not floats or not all(abs(one) < 2 for one in floats):  # of length 1
        raise Unreadable
    return Vector(struct.pack(f"<{count}e", *floats))


def _usage(value: Any) -> Usage:
    counts = _members(_of(dict)(value), _COUNTS)
    if min(counts.values(), default=0) < 0:
        raise Unreadable
    return Usage(**counts)


_COUNTS: Final = {field.name: _of(int) for field in fields(Usage)}
_NUMBER: Final = (float, int)
"""A sum of nothing is an int."""
_COMPLETION: Final = {
    "text": _of(str),
    "tokens": _tuple_of(int),
    "logp": _or_none(_of(*_NUMBER)),
    "logq": _or_none(_of(*_NUMBER)),
    "stopped": _of(bool),
    "prompt_tokens": _of(int),
    "logps": _tuple_of(*_NUMBER),
    "logqs": _tuple_of(*_NUMBER),
    "count": _of(int),
    "usage": _usage,
}
_SCORES: Final = {
    "logp": _log_probabilities,
    "prompt_tokens": _of(int),
    "lower": _log_probabilities,
    "upper": _log_probabilities,
    "usage": _usage,
}
_DECISION: Final = {
    "probs": lambda value: tuple(_probability(one) for one in _of(list)(value)),
    "mass": _or_none(_probability),
    "problem": _of(str),
}
_DECIDED: Final = {"decisions": _decisions, "usage": _usage}
_TAUGHT: Final = {
    "prompt_tokens": _tuple_of(int),
    "tokens": _tuple_of(int),
    "logps": _log_probabilities,
    "width": _of(int),
    "top_ids": _packed,
    "top_logps": _packed,
    "usage": _usage,
}
_VERIFIED: Final = {"ok": _of(bool), "problem": _of(str)}
