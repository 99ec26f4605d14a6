"""Calls like those that a command will ask, by which a server is examined before anything is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from vsgen.backends.endpoint.service import Sample
from vsgen.flow import Flow, Together, Turn
from vsgen.flows.asking import settings_of
from vsgen.labels.method import classify
from vsgen.labels.question import Question
from vsgen.labels.settings import Label
from vsgen.sampling.methods import open_sampler
from vsgen.template.schema import Template
from vsgen.values import Call, Generate, Message, Prompt, Score, Teach

_TEXT = "-"
_ASKED = Prompt((Message("user", _TEXT),), cue=_TEXT)
SCORES = Score(_ASKED, ("a", "b"))
TEACHES = Teach(_ASKED, "a")
RESUMES = Generate(_ASKED, 0, resumable=True)


def of_run(template: Template, *, teach: int = 0) -> Iterator[Sample]:
    """What a run asks the model that writes.

    Args:
        template: What it draws from.
        teach: Tokens at each position of an answer that is taught token by token; 0 teaches none.
    """
    yield from _of_draws(template)
    yield from of_labels(template)
    if teach:
        yield Sample("--token-logprobs", replace(TEACHES, top=teach))


def of_measure() -> Iterator[Sample]:
    """What a measurement asks."""
    yield Sample("measure", Generate(_ASKED, 0))
    yield Sample("measure", SCORES, needed=False)
    yield Sample("measure", TEACHES, needed=False)


def of_labels(template: Template) -> Iterator[Sample]:
    """What the labels ask of the run's own model."""
    for label in template.labels:
        if any(judge.name is None for judge in label.judges):
            yield from of_label(label)


def _of_draws(template: Template) -> Iterator[Sample]:
    messages = [Message("system", _TEXT)] if template.system or template.sampling.method != "direct" else []
    prompt = Prompt((*messages, Message("user", _TEXT)), prefill=_TEXT if template.prefill else "")
    part = f"method {template.sampling.method}"
    if not template.chat:
        prompt, part = Prompt(prefill=_TEXT), "chat: false"
    yield from (Sample(part, call) for call in _first(open_sampler(settings_of(template))(prompt, Random(0))))
    if template.scored and template.chat:  # else each reply has its own
        yield Sample("logp" if template.logp else "weights: model", SCORES)


def of_label(label: Label) -> Iterator[Sample]:
    """What a label asks."""
    part = f"label {label.name} (method {label.method})"
    asked = Question(_TEXT, label.classes or ("a", "b"), (_TEXT,))
    yield from (Sample(part, call) for call in _first(classify(asked, label, Random(0))))
    if label.method == "reasoning":
        yield Sample(part, SCORES)


def _first(flow: Flow[object]) -> Iterator[Call]:
    """The calls that a flow waits for first."""
    match next(flow):
        case Together(flows):
            for each in flows:
                yield from _first(each)
        case Turn():
            return
        case calls:
            yield from calls
