"""Conversations: turns alternate, never repeat themselves, keep the asked form, and leave out what is held out."""

from __future__ import annotations

import json
import re
from collections import Counter
from random import Random
from typing import Any

import pytest

from vsgen.sampling import prompts
from vsgen.tiny import chat
from vsgen.tiny.asks import Answers, Form, Result
from vsgen.tiny.exchanges import exchanges
from vsgen.tiny.grammar import sums
from vsgen.tiny.grammar.source import head_probs, read
from vsgen.tiny.grammar.tasks import TOPICS, Question, Request, by_topic, questions, requests
from vsgen.tiny.grammar.wordings import Split, expand, fill, held
from vsgen.tiny.turns import Conversation, Turn

WEEK = by_topic("closed")[0]
SOME = [by_topic(topic)[0] for topic in TOPICS]
each_topic = pytest.mark.parametrize("request_", SOME, ids=TOPICS)
each_question = pytest.mark.parametrize("question", questions(), ids=lambda one: one.topic)


@pytest.fixture(scope="module")
def conversations() -> list[Conversation]:
    rng = Random(0)
    return [chat.conversation(rng) for _ in range(900)]


def talk(request: Request, form: Form, ks: list[int], split: Split = "train", seed: int = 0) -> list[Turn]:
    """A conversation in the words of a method."""
    return list(chat.talk(Answers(request, form), Random(seed), split, ks))


def texts(turns: list[Turn], speaker: str) -> list[str]:
    """What one side says."""
    return [turn.text for turn in turns if turn.speaker == speaker]


def responses(text: str) -> list[dict[str, Any]]:
    """The items of a list reply, bare or not."""
    value = json.loads(text)
    found: list[dict[str, Any]] = value if isinstance(value, list) else value[prompts.RESPONSES]
    return found


def heads(request: Request, said: list[str]) -> list[int]:
    """The heads of answers."""
    found = [read(request.source, text) for text in said]
    return [one.head for one in found if one is not None]


@each_topic
def test_a_methods_words_are_the_system_message_and_the_task_is_the_users(request_: Request) -> None:
    ask = Answers(request_, "vs-cot", 3, 0.2)
    system, user, _ = chat.talk(ask, Random(0), "shipped", [3])
    assert (system.speaker, user.speaker) == ("system", "user")
    assert user.text == fill(request_.wordings.shipped, request_.keys)
    assert system.text == prompts.verbalized(("text",), 3, p_max=0.2, reasoning=True)


@each_topic
def test_further_answers_never_repeat_a_head_until_none_is_left(request_: Request) -> None:
    there = sum(p > 0 for p in head_probs(request_.source))
    turns = talk(request_, "direct", [1] * 60)
    said = heads(request_, texts(turns, "assistant"))
    assert len(said) == len(set(said)) == there
    assert [turn.speaker for turn in turns] == ["user", "assistant"] * there
    assert texts(turns, "user")[1:] == [prompts.another(("text",))] * (there - 1)


@each_topic
@pytest.mark.parametrize("ks", [[4, 4], [3, 3, 3], [5, 5, 5], [40, 2]], ids=str)
def test_lists_in_turns_never_repeat_a_head_and_announce_them_all(request_: Request, ks: list[int]) -> None:
    there = sum(p > 0 for p in head_probs(request_.source))
    turns = talk(request_, "vs", ks)
    lists = [responses(text) for text in texts(turns, "assistant")]
    said = heads(request_, [item["text"] for one in lists for item in one])
    assert len(said) == len(set(said)) == min(sum(ks), there)
    left = there
    for one, k in zip(lists, ks, strict=False):
        assert len(one) == min(k, left)
        left -= len(one)
    assert texts(turns, "system") == [prompts.verbalized(("text",), ks[0], p_max=None, reasoning=False, total=sum(ks))]
    assert texts(turns, "user")[1:] == [prompts.more(k) for k in ks[1 : len(lists)]]


def test_a_later_turn_asks_for_as_many_as_it_gives() -> None:
    turns = talk(WEEK, "vs", [2, 3, 1])
    assert [len(responses(text)) for text in texts(turns, "assistant")] == [2, 3, 1]
    assert texts(turns, "user")[1:] == [prompts.more(3), prompts.more(1)]


@each_topic
def test_a_single_list_announces_no_further_turns(request_: Request) -> None:
    first, *_ = talk(request_, "vs", [5])
    assert "In all" not in first.text


@each_topic
def test_a_field_of_its_own_is_asked_for_and_kept_in_every_turn(request_: Request) -> None:
    turns = list(chat.talk(Answers(request_, "vs", field="city"), Random(0), "new", [2, 2]))
    assert 'each with "city" and "probability"' in turns[0].text
    assert [list(item) for text in texts(turns, "assistant") for item in responses(text)] == [
        ["city", prompts.PROBABILITY]
    ] * 4


def test_the_same_seed_gives_the_same_conversation() -> None:
    assert [chat.conversation(Random(s)) for s in range(40)] == [chat.conversation(Random(s)) for s in range(40)]


def test_turns_alternate_and_end_with_a_reply_that_is_practised(conversations: list[Conversation]) -> None:
    for one in conversations:
        assert one.turns[-1].practised
        speakers = [turn.speaker for turn in one.turns if turn.speaker != "system"]
        opening = "plain" if one.kind == "plain" else "user"
        assert speakers == [opening, "assistant"] + ["user", "assistant"] * (len(speakers) // 2 - 1)
        assert all(turn.speaker != "system" for turn in one.turns[1:])


def test_every_kind_is_practised(conversations: list[Conversation]) -> None:
    kinds = Counter(one.kind for one in conversations)
    lists = {f"{form} {of}" for form in ("vs", "sequence", "vs-cot", "cot", "direct") for of in ("closed", "open")}
    assert lists <= set(kinds)
    assert {"plain", "chain", "story", "class ticket", "class review", "class quiz", "vs quiz"} <= set(kinds)


def asked_in_words(one: Conversation) -> bool:
    """Whether a list is asked for in a user's words, which show the JSON form."""
    return '"' not in "".join(texts(list(one.turns), "system"))


def test_replies_keep_the_field_and_the_form_that_is_asked_for(conversations: list[Conversation]) -> None:
    seen: Counter[str] = Counter()
    for one in conversations:
        form = one.kind.split()[0]
        if form not in {"vs", "vs-multi", "sequence", "vs-cot", "cot"}:
            continue
        system = "".join(texts(list(one.turns), "system"))
        stating = [] if form == "sequence" else [prompts.PROBABILITY]
        if "numbered list" in system:
            for text in texts(list(one.turns), "assistant"):
                shape = r"%d\. \S.*" + (r" \(0\.\d{1,3}\)" if stating else "")
                assert all(re.fullmatch(shape % i, line) for i, line in enumerate(text.split("\n"), 1)), text
            seen["lines"] += 1
            continue
        if asked_in_words(one):
            asked = texts(list(one.turns), "user")[-1]
            field = re.findall(r'"(\w+)": "(?:\.\.\.|an answer)"', asked)[-1]
        else:
            asked = system
            field = next(key for key in re.findall(r'"(\w+)"', system)[::-1] if key != prompts.PROBABILITY)
        for text in texts(list(one.turns), "assistant"):
            value = json.loads(text)
            assert json.dumps(value, ensure_ascii=False) == text
            if form == "cot":
                assert list(value) == [prompts.REASONING, field]
                continue
            bare = f'"{prompts.RESPONSES}"' not in asked
            assert isinstance(value, list) == bare
            assert all(list(item) == [field, *stating] for item in responses(text))
            seen["bare" if bare else "object"] += 1
            seen[field] += 1
    assert seen["bare"] > 5
    assert seen["lines"] > 10
    assert len(seen) > 10


def test_lists_are_as_long_as_the_methods_words_ask(conversations: list[Conversation]) -> None:
    lengths = set()
    for one in conversations:
        system = "".join(texts(list(one.turns), "system"))
        replies = texts(list(one.turns), "assistant")
        if asked := re.search(r"Give (\d+) (?:different answers|answer) to", system):
            k = int(asked[1])
            reply = replies[-1] if one.kind.split()[0] != "vs-multi" else replies[0]
            n = reply.count("\n") + 1 if "numbered list" in system else len(responses(reply))
            assert n == k if k <= 7 else 7 <= n <= k  # seven days are fewest
            lengths.add(k)
    assert set(range(1, 9)) <= lengths <= set(range(1, 11))


def test_a_users_own_system_message_stands_before_the_methods_words() -> None:
    rng = Random(4)
    systems = [text for _ in range(3000) for text in texts(list(chat.conversation(rng).turns), "system")]
    both = [text for text in systems if "\n\n" in text]
    assert len(both) > 10
    for text in both:
        own, instruction = text.split("\n\n")
        assert "Give" not in own
        assert re.match("Give |Think about|In all", instruction)


def test_a_worked_exchange_is_in_the_form_that_is_asked_for_and_is_not_practised() -> None:
    rng = Random(6)
    kinds: Counter[str] = Counter()
    for one in (chat.conversation(rng) for _ in range(4000)):
        shown = [turn for turn in one.turns if not turn.practised]
        if not shown:
            continue
        form = one.kind.split()[0]
        kinds[form] += 1
        assert len(shown) <= 2
        assert one.turns[0].speaker == "system"
        last = one.turns[-1].text
        for turn in shown:
            assert turn.speaker == "assistant"
            if form in {"direct", "multi-turn"}:
                assert "Reply with the answer only." in one.turns[0].text
                assert "\n" not in turn.text
            elif "numbered list" in one.turns[0].text:
                assert turn.text.startswith("1. ")
            else:
                value = json.loads(turn.text)
                assert list(value) == list(json.loads(last))
                if form != "cot":
                    assert [*responses(turn.text)[0]] == [*responses(last)[0]]
    assert {"direct", "sequence", "vs", "cot", "vs-cot"} <= set(kinds)


def test_answers_of_an_exchange_count_as_said_only_for_the_same_request() -> None:
    rng = Random(7)
    same = 0
    for _ in range(600):
        ask = Answers(WEEK, "vs", 3)
        less, turns = exchanges(ask, rng)
        assert less.request is WEEK
        assert len(less.left) >= 3
        repeated = [turn for turn in turns if not turn.practised and heads(WEEK, said(turn.text))]
        same += bool(less.said)
        assert bool(repeated) >= bool(less.said)
        assert less.said <= {head for turn in repeated for head in heads(WEEK, said(turn.text))}
    assert same > 5


def said(text: str) -> list[str]:
    """The texts of a list reply."""
    return [str(item["text"]) for item in responses(text)]


def test_early_conversations_are_short() -> None:
    rng = Random(0)
    talks = [chat.conversation(rng, early=True) for _ in range(300)]
    assert (
        max(len([turn for turn in one.turns if turn.practised and turn.speaker == "assistant"]) for one in talks) == 1
    )
    assert not any("multi" in one.kind for one in talks)
    for one in talks:
        if one.kind.split()[0] in {"vs", "sequence"}:
            text = one.turns[-1].text
            assert (len(responses(text)) if text[0] in "{[" else text.count("\n") + 1) <= 3


def test_training_never_asks_in_new_patterns(conversations: list[Conversation]) -> None:
    new = tuple(
        fill(one, request.keys) for request in requests() for pattern in request.wordings.new for one in expand(pattern)
    )
    for one in conversations:
        for turn in one.turns:
            assert not turn.text.removeprefix("Q: ").startswith(new)


@each_question
def test_texts_held_out_of_classification_are_never_trained_on(question: Question) -> None:
    rng = Random(1)
    trained = {chat.classified(question, rng).text for _ in range(600)}
    unseen = {chat.classified(question, rng, unseen=True).text for _ in range(150)}
    assert not trained & unseen
    assert not any(map(held, trained))
    assert all(map(held, unseen))
    assert len(unseen) > 40


def drawn(kind: str, rng: Random, length: int, *, unseen: bool = False) -> Result:
    """A sum of a kind."""
    if kind == "story":
        return chat.story(rng, length, unseen=unseen)
    return chat.chain(rng, length, hard=kind == "hard chain", unseen=unseen)


@pytest.mark.parametrize("kind", ["chain", "hard chain", "story"])
def test_sums_held_out_are_never_trained_on(kind: str) -> None:
    rng = Random(2)
    trained = {sums.told(drawn(kind, rng, 3).sum) for _ in range(800)}
    unseen = {sums.told(drawn(kind, rng, 3, unseen=True).sum) for _ in range(200)}
    assert not any(map(held, trained))
    assert all(map(held, unseen))
    assert len(unseen) > 150


@pytest.mark.parametrize("kind", ["chain", "hard chain", "story"])
def test_sums_are_of_the_kind_and_the_length_asked(kind: str) -> None:
    rng = Random(3)
    for length in range(1, 9):
        ask = drawn(kind, rng, length)
        assert ask.engineered == (kind == "story")
        assert len(ask.sum.stages) == length


@each_question
def test_classification_targets_the_posterior_of_the_text_with_all_classes_in_some_order(question: Question) -> None:
    rng = Random(5)
    orders = Counter[tuple[str, ...]]()
    for _ in range(200):
        ask = chat.classified(question, rng)
        (of, found), *others = [(of, one) for of in question.sources if (one := read(of, ask.text)) is not None]
        assert not others
        assert ask.posterior == pytest.approx(question.reading(of, found.posterior))
        assert sum(ask.posterior) == pytest.approx(1)
        assert sorted(ask.classes) == sorted(question.classes)
        orders[ask.classes] += 1
    assert len(orders) > 1
    assert orders.most_common(1)[0][0] == question.classes
