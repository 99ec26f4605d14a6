"""Whether a candidate is what the template asks for, decided before anything more is paid for it.

`TESTS` is the one place to add a test: a function of the template, the candidate and the task as it was asked. They run
in their order, and the first that refuses gives the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, TypeAlias

from vsgen.flow import Flow, ask_all
from vsgen.template.canonical import canonical
from vsgen.template.schema import Template
from vsgen.values import Candidate, Prompt, Reason

RESPELLED: Final = "respelled"
"""A text that is one of a closed set came in another case, or with spaces around it."""
ZERO: Final = "zero-probability"
"""The model stated that this answer has probability 0."""


class Refusal(NamedTuple):
    """Why a candidate does not become a record."""

    reason: Reason
    detail: str = ""
    """What is wrong, in words."""
    clause: str | None = None
    """The expression of the template that does not hold."""
    twin: str | None = None
    similarity: float | None = None


class Checked(NamedTuple):
    """The candidates of a draw after validation, as many and in the same order."""

    candidates: Sequence[Candidate]
    """In their canonical spelling, and mended where that was asked for."""
    refused: Mapping[int, Refusal]
    """Those that are not what the template asks for, by their number."""


Test: TypeAlias = Callable[[Template, Candidate, Prompt], Refusal | None]


def _schema(template: Template, candidate: Candidate, _: Prompt) -> Refusal | None:
    problem = template.output.problem(candidate.fields)
    return Refusal("schema", problem) if problem else None


def _p_min(template: Template, candidate: Candidate, _: Prompt) -> Refusal | None:
    p_min, stated = template.sampling.p_min, candidate.verbalized
    if stated is None or stated >= p_min:
        return None
    return Refusal("filter", f"stated probability {stated:g} is below p_min {p_min:g}")


def _filter(template: Template, candidate: Candidate, _: Prompt) -> Refusal | None:
    problem = template.refused(candidate.fields)
    return Refusal("filter", problem) if problem else None


TESTS: Final[Sequence[Test]] = (_schema, _p_min, _filter)
"""In the order in which they are made."""


def misfit(template: Template, candidate: Candidate, asked: Prompt) -> Refusal | None:
    """Why a candidate is not what the template asks for; None if it is.

    Args:
        template: What was asked for.
        candidate: As it was read.
        asked: The task, without a method's instruction.
    """
    return next((refusal for test in TESTS if (refusal := test(template, candidate, asked))), None)


def validate(template: Template, candidates: Sequence[Candidate], asked: Prompt) -> Flow[Checked]:
    """Validate the candidates of one draw; a flow, so that what is wrong may be asked for once more."""
    yield from ask_all(())
    spelled = [_spelled(template, candidate) for candidate in candidates]
    found = {i: misfit(template, candidate, asked) for i, candidate in enumerate(spelled)}
    return Checked(spelled, {i: refusal for i, refusal in found.items() if refusal is not None})


def _spelled(template: Template, candidate: Candidate) -> Candidate:
    """The candidate in its canonical spelling, flagged where that or its stated probability is odd."""
    schemas = template.output.item_schema["properties"]
    fields = {name: canonical(schemas.get(name, {}), value) for name, value in candidate.fields.items()}
    odd = {RESPELLED: fields != candidate.fields, ZERO: candidate.verbalized == 0}
    if not any(odd.values()):
        return candidate
    return replace(candidate, fields=fields, flags=(*candidate.flags, *(name for name, holds in odd.items() if holds)))
