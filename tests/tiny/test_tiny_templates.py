"""Every shipped template that is marked as the embedded model's asks nothing that its grammar does not know."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from random import Random
from typing import get_args

import pytest

from vsgen.flow import Flow, Together, Turn
from vsgen.flows.draw import Outcome, Pipeline, Quota
from vsgen.jobs.preview import preview
from vsgen.labels.words import question
from vsgen.sampling.settings import VERBALIZING, Method
from vsgen.template.catalog import describe
from vsgen.template.final import find_answer
from vsgen.template.load import load_template
from vsgen.template.render import Renderer
from vsgen.template.schema import Template
from vsgen.tiny import words
from vsgen.tiny.asks import Answers, Class, Result
from vsgen.tiny.grammar.quizzes import BIAS, CLASSES, POSITION
from vsgen.tiny.grammar.script import follow
from vsgen.tiny.grammar.source import Source, read, write
from vsgen.tiny.grammar.sums import LARGEST, worked
from vsgen.tiny.grammar.tasks import Request, requests
from vsgen.tiny.understand import understand
from vsgen.values import Generate, Models, Prompt, Row

MARKED = [name for name, entry in describe().items() if entry.model == "tiny" and name != "arithmetic"]
"""Templates whose requests the embedded model knows by every method; it does sums one at a time only."""
FORMS = {
    "direct": "direct",
    "cot": "cot",
    "sequence": "sequence",
    "multi-turn": "direct",
    "vs": "vs",
    "vs-cot": "vs-cot",
    "vs-multi": "vs",
    "power": "direct",
}
"""Each method, and what its first turn asks for."""
MOST = 40
"""Combinations of variables that are tried; all of them where there are no more."""
each_marked = pytest.mark.parametrize("name", MARKED)
each_method = pytest.mark.parametrize("method", FORMS)


def combinations(template: Template, most: int = MOST) -> list[dict[str, object]]:
    """Values of the template's variables."""
    found: list[dict[str, object]] = [
        dict(zip(template.variables, one, strict=True)) for one in product(*template.variables.values())
    ]
    return found if len(found) <= most else Random(template.name).sample(found, most)


def first_call(template: Template, values: dict[str, object]) -> Generate:
    """What a run asks first for a row of these values."""
    pipeline = Pipeline(template, seed=0, models=Models(""), index=None, quota=Quota(None))
    flow: Flow[Outcome] = pipeline.draw(Row(0, values), 0)
    asked = next(flow)
    assert not isinstance(asked, Turn | Together)
    (first, *_) = asked
    assert isinstance(first, Generate)
    return first


def asks(template: Template) -> Iterator[tuple[dict[str, object], Answers]]:
    """What the oracle understands for each combination of values."""
    for values in combinations(template):
        ask, begun = understand(first_call(template, values).prompt)
        assert isinstance(ask, Answers)
        assert begun == ""
        yield values, ask


@cache
def worded() -> dict[str, Request]:
    """The grammar's requests by the words in which the shipped templates ask for them."""
    return {words.opening(Answers(one), Random(0), "shipped"): one for one in requests()}


def written(of: Source, rng: Random) -> str:
    """A text drawn from a source."""
    taken: tuple[int, ...] = ()
    said = ""
    while (choice := follow(write(of), taken)) is not None:
        i = rng.choices(range(len(choice.texts)), choice.probs)[0]
        taken, said = (*taken, i), said + choice.texts[i]
    return said


def labelled(template: Template) -> Iterator[tuple[str, Prompt]]:
    """Texts of the grammar, and what is asked for each label of each."""
    rng = Random(0)
    render = Renderer(template)
    for values, ask in asks(template):
        text = written(ask.request.source, rng)
        assert template.output.problem({"text": text}) is None
        assert template.filtered({"text": text}) is None
        for label in template.labels:
            yield text, question(render.label(label, {**values, "text": text}), label.classes)


def test_there_are_marked_templates_and_their_methods_are_all_tried() -> None:
    assert {"jokes", "multiple-choice", "random-item", "support-tickets"} <= set(MARKED)
    assert set(FORMS) == set(get_args(Method))


@each_method
@each_marked
def test_a_marked_template_asks_what_the_oracle_understands(name: str, method: str) -> None:
    template = load_template(name, [f"sampling.method={method}", "sampling.k=4", "sampling.per_turn=3"])
    k = {"vs-multi": 3, "direct": 1, "cot": 1, "multi-turn": 1, "power": 1}.get(method, 4)
    for values, ask in asks(template):
        task = Renderer(template).prompt(values).messages[-1].content
        assert ask.request is worded()[task]
        assert (ask.form, ask.k, ask.p_max, ask.field) == (FORMS[method], k, None, "text")


@pytest.mark.parametrize("method", ["direct", "power"])
def test_arithmetic_asks_for_sums_that_the_oracle_understands_and_knows_their_answers(method: str) -> None:
    template = load_template("arithmetic", [f"sampling.method={method}"])
    render = Renderer(template)
    for values in combinations(template, most=300):
        ask, begun = understand(first_call(template, values).prompt)
        assert isinstance(ask, Result)
        assert (begun, ask.engineered) == ("", False)
        assert all(2 <= value <= LARGEST for value in ask.sum.values)
        right = ask.sum.values[-1]
        text = " ".join([*worked(ask.sum), f"The answer is {right}."])
        assert template.output.problem({"text": text}) is None
        answer = find_answer(str(template.output.answer), {"text": text})
        assert answer == str(right)
        assert render.correct(answer, {**values, "text": text}) is True
        assert render.correct(str(right + 10), {**values, "text": text}) is False


@pytest.mark.parametrize("method", sorted(VERBALIZING))
@each_marked
def test_a_marked_template_may_ask_for_the_tails(name: str, method: str) -> None:
    template = load_template(name, [f"sampling.method={method}", "sampling.p_max=0.2"])
    assert all(ask.p_max == 0.2 for _, ask in asks(template))


@each_marked
def test_a_marked_template_asks_for_labels_that_the_oracle_understands(name: str) -> None:
    template = load_template(name)
    for text, prompt in labelled(template):
        ask, begun = understand(prompt)
        assert isinstance(ask, Class)
        assert begun == ""
        assert ask.text and text.startswith(ask.text)


def test_the_answer_of_a_multiple_choice_question_is_asked_without_showing_the_key() -> None:
    for text, prompt in labelled(load_template("multiple-choice")):
        ask, _ = understand(prompt)
        assert isinstance(ask, Class)
        assert text == f"{ask.text} Answer: {text[-1]}"
        at = CLASSES.index(text[-1])
        assert ask.posterior == pytest.approx([(1 - BIAS) * (i == at) + BIAS * p for i, p in enumerate(POSITION)])


def test_a_preview_of_a_multiple_choice_question_shows_where_the_text_will_stand() -> None:
    (shown,) = preview(load_template("multiple-choice"), iter([Row(0)]), seed=0, count=1)
    assert shown.labels[0].messages[-1].content.startswith("Which option is right?\n\n…\n\n")


def test_multiple_choice_refuses_a_question_without_its_key() -> None:
    template = load_template("multiple-choice")
    (request, *_) = (one for one in requests() if one.topic == "quiz")
    text = written(request.source, Random(0))
    assert read(request.source, text) is not None
    assert template.filtered({"text": text}) is None
    assert template.filtered({"text": text.removesuffix(f" Answer: {text[-1]}")}) is not None
    assert template.filtered({"text": f"{text} or D"}) is not None
