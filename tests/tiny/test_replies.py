"""Replies: exact at every choice, the same in tokens as in text, and in the form that was asked for."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from vsgen.sampling import prompts
from vsgen.tiny import tokens
from vsgen.tiny.asks import Answers, Ask, Class, stated
from vsgen.tiny.chat import chain, classified, conversation, story
from vsgen.tiny.corpus import Encode, encoder
from vsgen.tiny.grammar.script import Step, follow, perform
from vsgen.tiny.grammar.source import head_probs, read
from vsgen.tiny.grammar.tasks import TOPICS, Request, by_topic, questions, requests
from vsgen.tiny.replies import GAMMA, reply

WEEK = by_topic("closed")[0]
SOME = [by_topic(topic)[-1] for topic in TOPICS]
LISTS = ("sequence", "vs", "vs-cot")
each_topic = pytest.mark.parametrize("request_", SOME, ids=TOPICS)
each_list = pytest.mark.parametrize("form", LISTS)


@pytest.fixture(scope="module")
def encode() -> Encode:
    rng = Random(0)
    return encoder(tokens.train(turn.text for _ in range(2000) for turn in conversation(rng).turns))


def drawn(ask: Ask, rng: Random) -> tuple[str, frozenset[int]]:
    """A reply's text, and the heads that are used by then."""
    steps, said = perform(reply(ask), rng)
    return "".join(step.text for step in steps), said


def outcomes(ask: Ask, taken: tuple[int, ...] = ()) -> Iterator[tuple[str, float]]:
    """Every reply and its probability."""
    choice = follow(reply(ask), taken)
    if choice is None:
        yield "", 1.0
        return
    for i, (text, prob) in enumerate(zip(choice.texts, choice.probs, strict=True)):
        for rest, p in outcomes(ask, (*taken, i)):
            yield text + rest, prob * p


def items(text: str, ask: Answers) -> list[dict[str, Any]]:
    """The items of a JSON reply, which must be exactly as json.dumps writes it."""
    value = json.loads(text)
    assert json.dumps(value, ensure_ascii=False) == text
    if not ask.bare:
        assert list(value) == ([prompts.REASONING] if ask.form == "vs-cot" else []) + [prompts.RESPONSES]
    found: list[dict[str, Any]] = value if ask.bare else value[prompts.RESPONSES]
    assert isinstance(found, list)
    return found


def head(request: Request, text: str) -> int:
    """Which head a text has."""
    found = read(request.source, text)
    assert found is not None, text
    return found.head


def some_asks(rng: Random, n: int) -> Iterator[Ask]:
    """Asks of all kinds, those included that training seldom asks."""
    for _ in range(n):
        request = rng.choice(by_topic(rng.choice(TOPICS)))
        said = frozenset(rng.sample(range(len(request.source.heads.texts)), rng.choice((0, 0, 1, 3))))
        field = rng.choice(("text", "city", "answer"))
        form = rng.choice(("direct", "plain", "cot", *LISTS))
        ask = Answers(request, form, rng.randint(1, 12), rng.choice((None, 0.01, 0.1, 0.5)), field, said=said)  # type: ignore[arg-type]
        if ask.left:
            yield ask
        yield Answers(request, rng.choice(("vs", "sequence")), rng.randint(1, 12), field=field, bare=True)
        yield Answers(request, rng.choice(("vs", "sequence")), rng.randint(1, 12), lines=True)
        yield classified(rng.choice(questions()), rng)
        yield chain(rng, rng.randint(1, 8), hard=rng.random() < 0.5, reasoning=rng.random() < 0.3)
        yield story(rng, rng.choice((2, 3)))


def check_prefixes(texts: Sequence[str], encode: Encode) -> None:
    """No alternative's tokens begin another's."""
    ordered = sorted(encode(text) for text in texts)
    assert all(ordered)
    for one, other in pairwise(ordered):  # what begins another sorts right before what it begins
        assert other[: len(one)] != one, texts


def check_choices(steps: tuple[Step, ...], encode: Encode) -> None:
    """Every choice is a distribution over alternatives that tokens tell apart; pieces are tokenised as the whole is."""
    pieces: list[int] = []
    for step in steps:
        assert min(step.choice.probs) > 0
        assert math.fsum(step.choice.probs) == pytest.approx(1, abs=1e-9)
        check_prefixes(step.choice.texts, encode)
        pieces += encode(step.text)
    assert encode("".join(step.text for step in steps)) == tuple(pieces)


def test_choices_of_conversations_are_distributions_that_tokens_tell_apart(encode: Encode) -> None:
    rng = Random(1)
    for _ in range(700):
        for turn in conversation(rng).turns:
            if turn.speaker == "assistant" and turn.practised:
                check_choices(turn.steps, encode)


def test_choices_of_any_ask_are_distributions_that_tokens_tell_apart(encode: Encode) -> None:
    rng = Random(2)
    for ask in some_asks(rng, 150):
        check_choices(perform(reply(ask), rng)[0], encode)


@pytest.mark.parametrize("lead", ["", " "], ids=["alone", "after a blank"])
def test_alternatives_of_every_table_are_told_apart_by_tokens(lead: str, encode: Encode) -> None:
    for of in {request.source for request in requests()} | {of for one in questions() for of in one.sources}:
        check_prefixes([lead + text for text in of.heads.texts], encode)
        for table in {table for tables in of.rest for table in tables}:
            check_prefixes(table.texts, encode)


@each_list
@each_topic
@pytest.mark.parametrize("k", [1, 3, 5, 7, 10, 40])
def test_lists_hold_k_different_answers_or_as_many_as_there_are(request_: Request, form: str, k: int) -> None:
    ask = Answers(request_, form, k)  # type: ignore[arg-type]
    text, said = drawn(ask, Random(k))
    heads = [head(request_, item["text"]) for item in items(text, ask)]
    assert len(set(heads)) == len(heads) == min(k, sum(p > 0 for p in head_probs(request_.source)))
    assert set(heads) == said


@each_topic
@pytest.mark.parametrize("bare", [False, True], ids=["object", "bare"])
@pytest.mark.parametrize("form", ["vs", "vs-cot"])
def test_each_answer_states_the_true_probability_of_its_head(request_: Request, form: str, bare: bool) -> None:
    ask = Answers(request_, form, 6, field="item", bare=bare and form == "vs")  # type: ignore[arg-type]
    p = head_probs(request_.source)
    for seed in range(5):
        text, _ = drawn(ask, Random(seed))
        for item in items(text, ask):
            assert list(item) == ["item", prompts.PROBABILITY]
            true = p[head(request_, item["item"])]
            assert item[prompts.PROBABILITY] == pytest.approx(true, rel=0.05, abs=0.0005)
            assert f'"{prompts.PROBABILITY}": {stated(true)}}}' in text


@each_topic
@pytest.mark.parametrize("form", ["vs", "sequence"])
def test_numbered_lines_hold_the_same_answers_with_the_same_probabilities(request_: Request, form: str) -> None:
    ask = Answers(request_, form, 6)  # type: ignore[arg-type]
    for seed in range(5):
        found, said = drawn(ask, Random(seed))
        text, again = drawn(replace(ask, lines=True), Random(seed))
        assert said == again
        answers = [list(item.values()) for item in items(found, ask)]
        tails = [f" ({stated(p[0])})" if (p := one[1:]) else "" for one in answers]
        listed = [f"{i}. {one[0]}{tail}" for i, (one, tail) in enumerate(zip(answers, tails, strict=True), 1)]
        assert text == "\n".join(listed)


@each_topic
@pytest.mark.parametrize("bare", [False, True], ids=["object", "bare"])
def test_a_sequence_states_no_probabilities(request_: Request, bare: bool) -> None:
    ask = Answers(request_, "sequence", 4, field="city", bare=bare)
    assert [list(item) for item in items(drawn(ask, Random(0))[0], ask)] == [["city"]] * 4


@each_topic
def test_a_bare_list_is_a_list_and_starts_and_ends_as_one(request_: Request) -> None:
    text, _ = drawn(Answers(request_, "vs", 2, bare=True), Random(0))
    assert isinstance(json.loads(text), list)


@pytest.mark.parametrize("request_", requests(), ids=lambda one: "-".join(one.keys.values()))
def test_p_max_leaves_the_answers_stated_below_it_or_the_k_rarest(request_: Request) -> None:
    p = head_probs(request_.source)
    for p_max in (0.01, 0.05, 0.1, 0.25, 0.5):
        for k in (1, 3, 8):
            ask = Answers(request_, "vs", k, p_max)
            found = items(drawn(ask, Random(k))[0], ask)
            below = sum(0 < float(stated(one)) < p_max for one in p)
            probabilities = [item[prompts.PROBABILITY] for item in found]
            if below >= k:
                assert max(probabilities) < p_max
            else:
                rarest = sorted(float(stated(one)) for one in p if one > 0)[:k]
                assert sorted(probabilities) == rarest


def test_p_max_below_every_answer_leaves_the_rarest() -> None:
    ask = Answers(WEEK, "vs", 2, 0.01)
    assert {item["text"] for item in items(drawn(ask, Random(0))[0], ask)} == {"Saturday", "Sunday"}


@each_topic
def test_the_first_answer_of_a_list_is_drawn_from_the_true_distribution(request_: Request) -> None:
    ask = Answers(request_, "sequence", 1)
    for text, p in sample(dict(outcomes(ask)), 200):
        found = read(request_.source, items(text, ask)[0]["text"])
        assert found is not None
        assert found.p == pytest.approx(p, rel=1e-9)


@each_topic
def test_plain_completion_answers_from_the_truth_after_a_blank(request_: Request) -> None:
    found = dict(outcomes(Answers(request_, "plain")))
    assert math.fsum(found.values()) == pytest.approx(1, abs=1e-9)
    for text, p in sample(found, 200):
        reading = read(request_.source, text.removeprefix(" "))
        assert text[0] == " "
        assert reading is not None
        assert reading.p == pytest.approx(p, rel=1e-9)


def sample(found: Mapping[str, float], n: int) -> list[tuple[str, float]]:
    """Some outcomes."""
    return Random(0).sample(list(found.items()), min(n, len(found)))


def test_a_list_of_two_is_drawn_without_replacement() -> None:
    ask = Answers(WEEK, "vs", 2)
    p = dict(zip(WEEK.source.heads.texts, head_probs(WEEK.source), strict=True))
    found = dict(outcomes(ask))
    assert len(found) == 7 * 6
    for text, prob in found.items():
        first, second = (item["text"] for item in items(text, ask))
        assert prob == pytest.approx(p[first] * p[second] / (1 - p[first]))


@pytest.mark.parametrize("request_", by_topic("closed"), ids=lambda one: one.keys["thing"])
def test_a_single_chat_answer_to_a_closed_set_is_the_power_of_p(request_: Request) -> None:
    sharp = [p**GAMMA for p in head_probs(request_.source)]
    expected = dict(zip(request_.source.heads.texts, [one / sum(sharp) for one in sharp], strict=True))
    assert dict(outcomes(Answers(request_))) == pytest.approx(expected)
    reasoned: dict[str, float] = {}
    for text, p in outcomes(Answers(request_, "cot", field="item")):
        value = json.loads(text)
        assert list(value) == [prompts.REASONING, "item"]
        reasoned[value["item"]] = reasoned.get(value["item"], 0.0) + p
    assert reasoned == pytest.approx(expected)


@each_topic
def test_reasoning_comes_before_the_answer_and_everything_is_json(request_: Request) -> None:
    text, said = drawn(Answers(request_, "cot", field="item"), Random(0))
    value = json.loads(text)
    assert json.dumps(value, ensure_ascii=False) == text
    assert list(value) == [prompts.REASONING, "item"]
    assert said == {head(request_, value["item"])}
    assert list(json.loads(drawn(Answers(request_, "vs-cot", 2), Random(0))[0])) == [
        prompts.REASONING,
        prompts.RESPONSES,
    ]


@pytest.mark.parametrize("form", ["direct", "plain", "cot", *LISTS])
def test_what_was_said_before_is_not_said_again_and_stays_said(form: str) -> None:
    before = frozenset({0, 2, 3})
    ask = replace(Answers(WEEK, form, 9), said=before)  # type: ignore[arg-type]
    for seed in range(10):
        text, said = drawn(ask, Random(seed))
        assert before < said
        assert not any(WEEK.source.heads.texts[i] in text for i in before)
        assert len(said) == (7 if form in LISTS else 4)


def test_classes_are_answered_by_the_posterior_whatever_their_order_in_the_prompt() -> None:
    rng = Random(5)
    for question in questions():
        for _ in range(20):
            ask = classified(question, rng)
            expected = {name: p for name, p in zip(question.classes, ask.posterior, strict=True) if p > 0}
            assert dict(outcomes(ask)) == pytest.approx(expected)
            assert dict(outcomes(Class(question, ask.text, ask.posterior, ask.classes[::-1]))) == pytest.approx(
                expected
            )


@pytest.mark.parametrize(
    ("p", "said"),
    [(0.314, "0.31"), (0.3, "0.3"), (0.0042, "0.004"), (0.01, "0.01"), (0.0149, "0.015"), (0.0996, "0.1")],
)
def test_probabilities_have_two_digits_and_three_decimals_at_most(p: float, said: str) -> None:
    assert stated(p) == said


def test_no_answer_states_a_probability_of_zero_and_a_requests_answers_state_one_in_all() -> None:
    for request in requests():
        found = [float(stated(p)) for p in head_probs(request.source) if p > 0]
        assert min(found) > 0
        assert math.fsum(found) == pytest.approx(1, abs=0.005)
