"""What a template will ask, without asking it: the first calls of the first draws, and the questions for the labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vsgen.flow import Flow, Together, Turn, play
from vsgen.flows.draw import Outcome, Pipeline, Quota
from vsgen.flows.label import Labeller
from vsgen.template.schema import Template
from vsgen.template.variables import draw_variables
from vsgen.values import Call, Completion, Generate, ModelFacts, Models, Prompt, Row

_REPLY = "…"
_OPTIONS = ("…", "……")
"""Stand for a list of classes that is still to be written."""


@dataclass(frozen=True, slots=True)
class Preview:
    """One draw, as far as it can be known beforehand."""

    id: str
    call: Generate
    """The first call."""
    turns: tuple[str, ...]
    """What the user says in later turns; the model's replies stand as ``…``."""
    labels: tuple[Prompt, ...]
    """What is asked about an answer, which stands as ``…``."""


def preview(
    template: Template, rows: Iterator[Row], *, seed: int, count: int, facts: ModelFacts | None = None, first: int = 0
) -> Iterator[Preview]:
    """Preview `count` draws from `first` on, or fewer if there are fewer rows, as a model of these facts is asked.

    Raises:
        TemplateError: A row lacks a variable.
    """
    template = template.model_copy(update={"repair": 0})  # what stands for a reply fits nothing
    pipeline = Pipeline(template, seed=seed, models=Models("", facts=facts), index=None, quota=Quota(None))
    labeller = Labeller(template, template.output.fields, seed=seed)
    for number, row in zip(range(first, first + count), rows, strict=False):
        calls = _conversation(pipeline.draw(row, number))
        turns = tuple(call.prompt.messages[-1].content for call in calls[1:])
        values = {
            **draw_variables(template, seed, number),
            **row.fields,
            **dict.fromkeys(template.output.fields, _REPLY),
        }
        values |= {name: _OPTIONS for label in template.labels if (name := label.choices) in template.output.fields}
        yield Preview(f"{template.name}/{number:06d}", calls[0], turns, tuple(labeller.prompts(values)))


def _conversation(flow: Flow[Outcome]) -> list[Generate]:
    """The first call of each turn, had with a model that says nothing but ``…``; the same prompt is the same turn."""
    calls: list[Generate] = []

    def answer(asked: Sequence[Call]) -> Sequence[Completion]:
        if not isinstance(asked[0], Generate):
            raise _Enough
        if not calls or asked[0].prompt != calls[-1].prompt:
            calls.append(asked[0])
        return [Completion(_REPLY, logp=0.0, logq=0.0) for _ in asked]

    try:
        wait = next(flow)
        while not isinstance(wait, Turn):
            if isinstance(wait, Together):
                wait = flow.send([play(part, answer) for part in wait.flows])
            else:
                wait = flow.send(answer(wait))
    except (StopIteration, _Enough):
        pass
    return calls


class _Enough(Exception):
    """Something else is asked than a language model's reply: the conversation is over."""
