"""Conversations keep the form that the prompts ask for."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from vsgen.sampling import prompts
from vsgen.tiny import chat
from vsgen.tiny.grammar.source import head_probs, read
from vsgen.tiny.grammar.tasks import Request, by_topic, questions, requests

WEEK = by_topic("closed")[0]
TICKETS = by_topic("ticket")[0]
SOME = [requests()[i] for i in (1, 8, 35, 60, 70)]


def responses(turn: chat.Turn) -> list[dict[str, Any]]:
    """The items of a JSON reply, which must be exactly as json.dumps writes it."""
    value = json.loads(turn.text)
    assert json.dumps(value) == turn.text
    found: list[dict[str, Any]] = value[prompts.RESPONSES]
    return found


@pytest.mark.parametrize("request_", SOME, ids=lambda request: request.topic)
@pytest.mark.parametrize("k", [1, 3, 5, 7])
def test_verbalized_replies_hold_k_different_answers_with_their_true_probability(request_: Request, k: int) -> None:
    _, reply = chat.vs(request_, Random(k), k, p_max=None, reasoning=False)
    items = responses(reply)
    assert len({item["text"] for item in items}) == k
    p = head_probs(request_.source)
    for item in items:
        found = read(request_.source, item["text"])
        assert found is not None
        assert item["probability"] == pytest.approx(p[found.head], abs=0.0051)


def test_the_user_message_is_the_task_and_the_methods_own_words() -> None:
    user, _ = chat.vs(WEEK, Random(0), 3, p_max=0.2, reasoning=True)
    task, _, instruction = user.text.partition("\n\n")
    assert task in WEEK.wordings
    assert instruction == prompts.verbalized(["text"], 3, p_max=0.2, reasoning=True)


def test_p_max_leaves_only_rarer_answers() -> None:
    _, reply = chat.vs(WEEK, Random(0), 3, p_max=0.13, reasoning=False)
    assert all(item["probability"] < 0.13 for item in responses(reply))


def test_p_max_below_every_answer_leaves_the_rarest() -> None:
    _, reply = chat.vs(WEEK, Random(0), 2, p_max=0.01, reasoning=False)
    assert {item["text"] for item in responses(reply)} == {"Saturday", "Sunday"}


def test_a_closed_set_ends_when_it_is_exhausted() -> None:
    _, reply = chat.vs(WEEK, Random(0), 8, p_max=None, reasoning=False)
    assert len(responses(reply)) == 7


def test_turns_never_repeat_an_answer() -> None:
    for talk in (chat.vs_multi(TICKETS, Random(0), 4, 2), chat.vs_multi(WEEK, Random(1), 3, 3)):
        said = [item["text"] for turn in talk if turn.speaker == "assistant" for item in responses(turn)]
        assert len(set(said)) == len(said)
        assert f"In all, {len(said)} responses" in talk[0].text
    turns = chat.multi_turn(WEEK, Random(0), 7)
    assert len({turn.text for turn in turns if turn.speaker == "assistant"}) == 7
    assert turns[2].text == prompts.another(["text"])


def test_reasoning_comes_before_the_answer() -> None:
    _, reply = chat.cot(WEEK, Random(0))
    assert list(json.loads(reply.text)) == ["reasoning", "text"]
    _, reply = chat.vs(WEEK, Random(0), 2, p_max=None, reasoning=True)
    assert list(json.loads(reply.text)) == ["reasoning", "responses"]


def test_a_sequence_states_no_probabilities() -> None:
    _, reply = chat.sequence(WEEK, Random(0), 4)
    assert [list(item) for item in responses(reply)] == [["text"]] * 4


def test_classification_targets_the_posterior_of_the_text() -> None:
    user, reply = chat.classify(questions()[0], Random(5))
    text = user.text.split("\n\n")[1]
    found = [one for of in questions()[0].sources if (one := read(of, text)) is not None]
    assert reply.content[0].texts == ("billing", "bug", "how-to")
    assert reply.content[0].probs == pytest.approx(found[0].posterior)
    assert user.text.endswith("Reply with exactly one of these: billing, bug, how-to.")


@pytest.mark.parametrize(("p", "said"), [(0.314, "0.31"), (0.3, "0.3"), (0.0042, "0.004"), (0.01, "0.01")])
def test_probabilities_have_two_decimals_and_three_when_small(p: float, said: str) -> None:
    assert chat.stated(p) == said


def test_early_conversations_are_short() -> None:
    rng = Random(0)
    talks = [chat.conversation(rng, early=True) for _ in range(300)]
    assert max(len(talk.turns) for talk in talks) <= 3
    assert not any("multi" in talk.kind for talk in talks)
