"""The flows of a model's card. What is asked is asked by the methods themselves, in the words of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

from vsgen.card.tasks import CLASSES, QUESTION, Task
from vsgen.errors import ModelError
from vsgen.flow import Flow, Spent, ask, metered, try_all
from vsgen.flows.asking import Asker
from vsgen.labels.method import classify
from vsgen.labels.question import Question
from vsgen.labels.settings import Label
from vsgen.probability import log_sum_exp
from vsgen.sampling.methods import open_sampler
from vsgen.sections.sandbox import compile_text
from vsgen.template.render import Renderer
from vsgen.template.schema import Template
from vsgen.values import Distribution, Generate, ModelFacts, Prompt, Score, Scores, SoftLabel, Unlabelled

_BRIEF = 40
_LONG = 300
"""Characters of an answer at most; our own exchanges have answers of the same kind."""


class Drawn(NamedTuple):
    """One draw of a task."""

    task: Task
    distribution: Distribution
    tokens: int


def template(task: Task, sampling: Mapping[str, object]) -> Template:
    """A task as a template."""
    name = task.name.casefold().replace(" ", "-")
    output = {"max_chars": _BRIEF if task.answers else _LONG}
    sections = {"version": 1, "name": name, "prompt": task.prompt, "output": output, "sampling": dict(sampling)}
    return Template.model_validate(sections)


def draw(task: Task, sampling: Mapping[str, object], number: int, facts: ModelFacts | None) -> Flow[Drawn]:
    """Draw number `number` of a task, as a run would with a model of these facts."""
    spent = Spent()
    distribution = yield from metered(_asked(task, sampling, number, facts), spent)
    return Drawn(task, distribution, spent.tokens)


def bare(task: Task, *, exchanges: int = 0) -> Flow[float]:
    """P(the reply is exactly one of the right answers), where the task is asked for one bare answer; computed.

    Args:
        task: A closed one.
        exchanges: Worked ones that stand before it.
    """
    scores = yield from ask(Score(_bare_prompt(task, exchanges), task.answers))
    return min(1.0, math.exp(log_sum_exp(scores.logp)))


def own(task: Task, texts: Sequence[str]) -> Flow[dict[str, float]]:
    """The log-probability, nats, of each text as the bare answer to a task; without those that cannot be scored."""
    different, prompt = list(dict.fromkeys(texts)), _bare_prompt(task, 0)
    scores = yield from try_all([Score(prompt, (text,)) for text in different])
    found = {text: one.exact[0] for text, one in zip(different, scores, strict=True) if isinstance(one, Scores)}
    return {text: logp for text, logp in found.items() if logp is not None}


def sentiment(classes: Sequence[str] = CLASSES, *, listed: bool = True, letters: bool = False) -> Label:
    """The label that is asked for.

    Args:
        classes: As they are called in the question.
        listed: Whether the question is followed by their list; else it names them itself.
        letters: Each has a letter, which is to be replied.
    """
    named = "" if listed else f" {', '.join(classes[:-1])} or {classes[-1]}?"
    return Label(
        name="sentiment",
        classes=tuple(classes),
        prompt=f"{QUESTION}{named}\n\n{{{{ text }}}}",
        verbalizer="letters" if letters else "names",
        listed=listed,
    )


def label(sentence: str, asked: Label) -> Flow[SoftLabel | Unlabelled]:
    """The sentiment of a sentence."""
    text = compile_text(asked.prompt).render({"text": sentence})
    return (yield from classify(Question(text, asked.classes), asked, Random(0)))


def named(probs: Mapping[str, float]) -> str:
    """The most probable class, as it is called in `CLASSES`."""
    place = max(range(len(CLASSES)), key=list(probs.values()).__getitem__)
    return CLASSES[place]


def _asked(task: Task, sampling: Mapping[str, object], number: int, facts: ModelFacts | None) -> Flow[Distribution]:
    """The method's flow, with the prompt that a run would make."""
    asked = template(task, sampling)
    render = Renderer(asked)
    asker = Asker(asked, render, facts, seed=0)
    prompt = asker.ask(render.prompt({}), {}, number)
    return open_sampler(asker.settings)(prompt, Random(f"card/{task.name}/{number}"))


def _bare_prompt(task: Task, exchanges: int) -> Prompt:
    """The prompt that method direct asks with."""
    calls = next(_asked(task, {"method": "direct", "k": 1, "demonstrate": exchanges}, 0, None))
    if not isinstance(calls, Sequence) or not isinstance(calls[0], Generate):
        raise ModelError("method direct asks nothing")
    return calls[0].prompt
