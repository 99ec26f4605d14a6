"""Prompts are the task's own words and those of vsgen's methods; the shipped split is what the templates really ask."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import product
from random import Random

import pytest

from vsgen.labels.words import question
from vsgen.sampling import prompts
from vsgen.template.load import load_template
from vsgen.template.render import Renderer
from vsgen.tiny import words
from vsgen.tiny.asks import Answers, Class, Result
from vsgen.tiny.chat import chain, classified, story
from vsgen.tiny.grammar import sums
from vsgen.tiny.grammar.tasks import TOPICS, by_topic, questions, requests
from vsgen.tiny.grammar.wordings import Split, Wordings, expand, fill, fillers, held

SPLITS: tuple[Split, ...] = ("shipped", "train", "combined", "new")
TEMPLATES = {
    "random-item": "closed",
    "support-tickets": "ticket",
    "product-reviews": "review",
    "jokes": "joke",
    "story-openers": "story",
    "multiple-choice": "quiz",
}
WEEK = by_topic("closed")[0]
each_split = pytest.mark.parametrize("split", SPLITS)
each_template = pytest.mark.parametrize(("name", "topic"), TEMPLATES.items(), ids=TEMPLATES)


def of_split(wordings: Wordings, split: Split, text: str) -> bool:
    """Whether a way of asking belongs to a split."""
    new = {one for pattern in wordings.new for one in expand(pattern)}
    match split:
        case "shipped":
            return text == wordings.shipped
        case "combined":
            return held(text) and text not in new and text != wordings.shipped
        case "new":
            return text in new
        case "train":
            return text == wordings.shipped or (not held(text) and text not in new)


@each_template
def test_the_shipped_split_asks_what_the_shipped_template_asks(name: str, topic: str) -> None:
    template = load_template(name)
    asked = {words.opening(Answers(one), Random(0), "shipped") for one in by_topic(topic)}
    for values in product(*(list(one) for one in template.variables.values())):
        prompt = Renderer(template).prompt(dict(zip(template.variables, values, strict=True)))
        assert prompt.messages[-1].content in asked


@pytest.mark.parametrize(("name", "topic"), [("support-tickets", "ticket"), ("product-reviews", "review")])
def test_the_shipped_split_classifies_in_the_templates_and_the_labels_words(name: str, topic: str) -> None:
    template = load_template(name)
    (label,) = template.labels
    (asked,) = (one for one in questions() if one.topic == topic)
    assert label.classes == asked.classes
    ask = Class(asked, "Some text. And more.", asked.sources[0].prior, asked.classes)
    values = dict.fromkeys(template.variables, "any")
    said = Renderer(template).label(label, {**values, "text": ask.text})
    assert words.opening(ask, Random(0), "shipped") == question(said, label.classes).messages[-1].content


@each_split
@pytest.mark.parametrize("topic", TOPICS)
def test_a_methods_words_are_apart_from_the_task_which_alone_is_the_users(topic: str, split: Split) -> None:
    rng = Random(0)
    field = ("answer",)
    for request in by_topic(topic)[:6]:
        for form, instruction in {
            "direct": "",
            "cot": prompts.cot(field),
            "sequence": prompts.sequence(field, 4),
            "vs": prompts.verbalized(field, 4, p_max=0.1, reasoning=False),
            "vs-cot": prompts.verbalized(field, 4, p_max=0.1, reasoning=True),
        }.items():
            p_max = 0.1 if form.startswith("vs") else None
            ask = Answers(request, form, 4, p_max, "answer")  # type: ignore[arg-type]
            assert words.own(ask) == instruction
            task = words.opening(ask, rng, split)
            assert any(of_split(request.wordings, split, one) for one in _ways(ask, task))


def _ways(ask: Answers, task: str) -> list[str]:
    """The ways of asking that give this task, but for a sentence around it that means nothing."""
    known = [one for ones in fillers() for one in ones]
    bare = {task.removeprefix(f"{one} ") for one in known} | {task.removesuffix(f" {one}") for one in known}
    return [one for one in ask.request.wordings.all() if fill(one, ask.request.keys) in bare]


def test_further_turns_are_announced_in_the_methods_words() -> None:
    ask = Answers(WEEK, "vs", k=3)
    assert words.own(ask, 6) == prompts.verbalized(("text",), 3, p_max=None, reasoning=False, total=6)
    assert words.own(ask, 6).startswith("In all, 6 answers")


@pytest.mark.parametrize("form", ["vs", "sequence"])
def test_numbered_lines_are_asked_for_in_the_methods_words(form: str) -> None:
    ask = Answers(WEEK, form, k=3, lines=True)  # type: ignore[arg-type]
    assert words.own(ask) != words.own(replace(ask, lines=False))
    assert "numbered list" in words.own(ask)


def test_exchanges_before_a_direct_task_are_told_of() -> None:
    assert words.own(Answers(WEEK), shown=True) == prompts.direct(("text",), shown=True) != ""
    assert words.own(Answers(WEEK)) == ""


@each_split
def test_plain_completion_is_asked_outside_the_chat_as_question_and_answer(split: Split) -> None:
    text = words.opening(Answers(WEEK, "plain"), Random(0), split)
    assert re.fullmatch(r"Q: [^\n]+\nA:", text)


@each_split
def test_a_class_is_asked_for_with_the_text_whole_and_the_classes_in_the_asked_order(split: Split) -> None:
    rng = Random(1)
    for asked in questions():
        for _ in range(30):
            ask = classified(asked, rng)
            text = words.opening(ask, rng, split)
            assert text.count(ask.text) == 1
            assert text.endswith(f"\n\nReply with exactly one of these: {', '.join(ask.classes)}.")
            assert "{" not in text


@each_split
@pytest.mark.parametrize("kind", ["chain", "story"])
def test_a_sum_is_asked_for_with_its_numbers_in_order(kind: str, split: Split) -> None:
    rng = Random(2)
    for _ in range(60):
        ask = chain(rng, 4, hard=rng.random() < 0.5) if kind == "chain" else story(rng, 3)
        text = words.opening(ask, rng, split)
        assert [int(n) for n in re.findall(r"\d+", text)] == [ask.sum.start, *(n for _, n in ask.sum.stages)]
        assert not re.search(r"\{\w+\}", text)


def test_a_story_tells_every_stage_of_one_person_and_one_thing() -> None:
    rng = Random(3)
    gains = {event.split()[1]: operation for operation, events in sums.EVENTS.items() for event in events}
    for _ in range(60):
        ask = story(rng, 2)
        text = words.opening(ask, rng, "shipped")
        (name,) = {one for one in sums.NAMES if one in text}
        (things,) = {one for one in sums.THINGS if one in text}
        assert text.startswith(f"{name} has {ask.sum.start} {things}. ")
        verbs = re.findall(rf"{name} (\w+)", text.removeprefix(f"{name} has"))
        assert [gains[verb] for verb in verbs if verb in gains] == [operation for operation, _ in ask.sum.stages]


def test_working_apart_is_asked_for_in_the_words_of_cot_and_engineered_sums_are_asked_without() -> None:
    one = sums.chain(Random(0), 2)
    ask = Result(one, engineered=False, reasoning=True, field="value")
    assert words.opening(ask, Random(0), "shipped") == f"Start with {sums.told(one)}. What is the result?"
    assert words.own(ask) == prompts.cot(("value",))
    assert words.own(Result(one, engineered=False)) == words.own(story(Random(0), 2)) == ""


@each_split
@pytest.mark.parametrize("bare", [False, True], ids=["object", "bare"])
@pytest.mark.parametrize("form", ["vs", "sequence"])
def test_a_users_words_say_how_many_and_show_the_form(form: str, bare: bool, split: Split) -> None:
    rng = Random(4)
    for k in range(1, 11):
        for request in rng.sample(requests(), 4):
            ask = Answers(request, form, k, field="city", bare=bare)  # type: ignore[arg-type]
            text = words.other(ask, rng, split)
            start, end = min(text.find(c) for c in "[{" if c in text), max(text.rfind(c) for c in "]}")
            shown = text[start : end + 1]
            assert text[start] == ("[" if bare else "{")
            assert ('"probability": ' in shown) == (form == "vs")
            found = json.loads(shown.replace(", ...]", "]"))
            items = found if bare else found[prompts.RESPONSES]
            assert all(next(iter(item)) == "city" for item in items)
            outside = re.findall(r"\w+", text[:start] + text[end + 1 :])
            assert str(k) in outside or words.NUMBERS[k] in outside
            assert not re.search(r"\{\w+\}", text)


def test_numbers_are_written_as_words_up_to_ten() -> None:
    assert (len(words.NUMBERS), words.NUMBERS[1], words.NUMBERS[5], words.NUMBERS[10]) == (11, "one", "five", "ten")
