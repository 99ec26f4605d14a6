"""The final answers of a draw: where they stand, whether they are right, and how the draw votes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from vsgen.errors import TemplateError
from vsgen.labels.answers import votes
from vsgen.template.final import ANSWER, find_answer
from vsgen.template.render import Renderer
from vsgen.values import Candidate, SoftLabel


class Answered(NamedTuple):
    """The candidates of a draw with their final answers in their details."""

    candidates: Sequence[Candidate]
    voted: SoftLabel | None
    """The answers' shares of the draw; None where the template does not say where answers stand."""
    problems: Sequence[str]
    """What could not be judged."""


def answered(
    place: str | None, render: Renderer, candidates: Sequence[Candidate], values: Mapping[str, object]
) -> Answered:
    """Find the answers, and judge them where the template says what is right.

    What a model wrote ends no run: an answer with which `output.correct` cannot be evaluated is neither right nor
    wrong.

    Args:
        place: Of the final answer; see `vsgen.template.final.find_answer`.
        render: Evaluates `output.correct`.
        candidates: Of one draw.
        values: The variables of the draw.
    """
    if place is None:
        return Answered(candidates, None, ())
    answers = [find_answer(place, one.fields) for one in candidates]
    found, problems = [], []
    for one, answer in zip(candidates, answers, strict=True):
        details: dict[str, object] = {ANSWER: answer}
        try:
            if (right := render.correct(answer, {**values, **one.fields})) is not None:
                details["correct"] = right
        except TemplateError as error:
            problems.append(f"{error}; meta.correct is null there")
            details["correct"] = None
        found.append(replace(one, details={**one.details, **details}))
    ballots = [one.weight if one.vote is None else one.vote for one in candidates]
    return Answered(found, votes(answers, ballots), problems)
