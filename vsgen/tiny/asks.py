"""What can be meant by a prompt: the ask, apart from the words in which it is put."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from vsgen.tiny.grammar.source import head_probs
from vsgen.tiny.grammar.sums import Sum
from vsgen.tiny.grammar.tasks import Question, Request

Form: TypeAlias = Literal["direct", "plain", "cot", "sequence", "vs", "vs-cot"]


@dataclass(frozen=True, slots=True)
class Answers:
    """One answer, or k of them, to a request."""

    request: Request
    form: Form = "direct"
    """plain is completion outside the chat template; the others are the forms of vsgen's methods."""
    k: int = 1
    p_max: float | None = None
    field: str = "text"
    """The key under which a JSON reply gives each answer."""
    bare: bool = False
    """A list reply is the list itself, instead of an object that holds it."""
    lines: bool = False
    """A list reply is numbered lines instead of JSON; the field does not show."""
    said: frozenset[int] = frozenset()
    """Heads that earlier turns have used; none is used twice."""

    @property
    def left(self) -> list[int]:
        """The heads that may come next; with `p_max` those stated below it, or the k rarest where there are fewer."""
        p = head_probs(self.request.source)
        possible = sorted((i for i, one in enumerate(p) if one > 0), key=lambda i: p[i])
        if self.p_max is not None:
            below = [i for i in possible if float(stated(p[i])) < self.p_max]
            possible = below if len(below) >= self.k else possible[: self.k]
        return [i for i in possible if i not in self.said]

    def after(self, said: frozenset[int], k: int) -> Answers:
        """The next turn of the conversation."""
        return replace(self, said=said, k=k)


@dataclass(frozen=True, slots=True)
class Class:
    """The class of a text."""

    question: Question
    text: str
    posterior: tuple[float, ...]
    """P(class | text), as readers answer, in the order of the question's classes."""
    classes: tuple[str, ...]
    """In the order in which the prompt names them."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a sum."""

    sum: Sum
    engineered: bool
    reasoning: bool = False
    """Working and answer apart, as the cot method asks; natural sums only."""
    field: str = "text"


def stated(p: float) -> str:
    """A probability as replies write it: two significant digits, and three decimals at most."""
    return json.dumps(round(float(f"{p:.2g}"), 3))


Ask: TypeAlias = Answers | Class | Result
