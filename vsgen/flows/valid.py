"""Whether a candidate is what the template asks for, decided before anything more is paid for it.

`TESTS` is the one place to add a test: a function of the rules of a draw and of the candidate. They run in their order,
and the first that rejects it gives the reason; external commands are asked last, about what no test rejects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, TypeAlias

from vsgen.flow import Flow
from vsgen.flows.checks import Outside, syntax_problem, verdict
from vsgen.sampling.potentials import IMPOSSIBLE
from vsgen.sampling.replies.echo import Echoes, context_of
from vsgen.sampling.schemas import MOST_REASONING
from vsgen.template.schema import Template
from vsgen.values import Candidate, Prompt, Reason

RESPELLED: Final = "respelled"
"""A text that is one of a closed set came in another case, or with spaces around it."""
CUT: Final = "reasoning-cut"
"""The reasoning before the answer is as long as it may be, so that decoding has probably cut it."""
ZERO: Final = "zero-probability"
"""The model stated that this answer has probability 0."""


class Rejection(NamedTuple):
    """Why a candidate does not become a record."""

    reason: Reason
    detail: str = ""
    """What is wrong, in words."""
    clause: str | None = None
    """The expression of the template that does not hold."""
    twin: str | None = None
    similarity: float | None = None


class Validated(NamedTuple):
    """The candidates of a draw after validation, as many and in the same order."""

    candidates: Sequence[Candidate]
    """In their canonical spelling, and mended where that was asked for."""
    rejections: Mapping[int, Rejection]
    """Those that are not what the template asks for, by their number."""


class Rules(NamedTuple):
    """What the candidates of a draw are held to."""

    template: Template
    outside: tuple[Outside, ...] = ()
    """The template's external commands."""
    echoes: Echoes | None = None
    """Recognizes the echoes of this draw."""
    lenient: bool = False
    """A candidate on which an external command gives no verdict is refused, instead of ending the run."""


_CLOSED: Final = frozenset({"enum", "const"})

Test: TypeAlias = Callable[[Rules, Candidate], Rejection | None]


def _placeholder(rules: Rules, candidate: Candidate) -> Rejection | None:
    problem = rules.echoes and rules.echoes.problem(candidate.fields)
    return Rejection("placeholder", problem) if problem else None


def _schema(rules: Rules, candidate: Candidate) -> Rejection | None:
    problem = rules.template.output.problem(candidate.fields)
    return Rejection("schema", problem) if problem else None


def improbable(rules: Rules, candidate: Candidate) -> Rejection | None:
    """Refuses a candidate whose stated probability is below `p_min`."""
    p_min, stated = rules.template.sampling.p_min, candidate.verbalized
    if stated is None or stated >= p_min:
        return None
    return Rejection("filter", f"stated probability {stated:g} is below p_min {p_min:g}")


def impossible(_: Rules, candidate: Candidate) -> Rejection | None:
    """Refuses a candidate for which a potential of power sampling is 0, and which was drawn for want of others."""
    why = candidate.details.get(IMPOSSIBLE)
    return Rejection("filter", str(why)) if why else None


def _filter(rules: Rules, candidate: Candidate) -> Rejection | None:
    problem = rules.template.filtered(candidate.fields)
    return Rejection("filter", problem) if problem else None


def _check(rules: Rules, candidate: Candidate) -> Rejection | None:
    problem = syntax_problem(rules.template, candidate.fields)
    return Rejection("check", problem) if problem else None


TESTS: Final[Sequence[Test]] = (_placeholder, _schema, improbable, impossible, _filter, _check)
"""In the order in which they are made."""


def echoes(template: Template, task: Prompt, prompt: Prompt, values: Mapping[str, object]) -> Echoes:
    """What would be an echo in one draw.

    Args:
        template: What was asked for.
        task: The request as the user put it.
        prompt: What the model read first.
        values: Of the variables that the request was made with.
    """
    schemas = template.output.item_schema["properties"]
    closed = [name for name, schema in schemas.items() if isinstance(schema, Mapping) and _CLOSED & schema.keys()]
    return Echoes(context_of(template.output.fields, task, prompt, values=values.values(), closed=closed))


def misfit(rules: Rules, candidate: Candidate) -> Rejection | None:
    """Why a candidate is not what the template asks for; None if it is.

    Args:
        rules: What was asked for.
        candidate: As it was read.
    """
    return next((rejection for test in TESTS if (rejection := test(rules, candidate))), None)


def validate(rules: Rules, candidates: Sequence[Candidate], ids: Sequence[str]) -> Flow[Validated]:
    """Validate candidates of one draw.

    Args:
        rules: Of the draw.
        candidates: As they were read.
        ids: Of the candidates, for messages.

    Raises:
        CommandError: An external command gave no verdict, and the rules are not lenient.
    """
    spelled = [_spelled(rules.template, candidate) for candidate in candidates]
    found = {i: misfit(rules, candidate) for i, candidate in enumerate(spelled)}
    for i, candidate in enumerate(spelled):
        if found[i] is not None:
            continue
        if problem := (yield from verdict(rules.outside, ids[i], candidate.fields, lenient=rules.lenient)):
            found[i] = Rejection("check", problem)
    return Validated(spelled, {i: rejection for i, rejection in found.items() if rejection is not None})


def _spelled(template: Template, candidate: Candidate) -> Candidate:
    """The candidate in its canonical spelling, flagged where that or its stated probability is odd."""
    fields = template.output.spelled(candidate.fields)
    respelled, zero = fields is not candidate.fields and fields != candidate.fields, candidate.verbalized == 0
    cut = candidate.reasoning is not None and len(candidate.reasoning) >= MOST_REASONING
    if not (respelled or zero or cut):
        return candidate
    odd = {RESPELLED: respelled, ZERO: zero, CUT: cut}
    return replace(candidate, fields=fields, flags=(*candidate.flags, *(name for name, holds in odd.items() if holds)))
