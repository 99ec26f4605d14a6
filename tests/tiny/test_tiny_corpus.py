"""Tokens are those that the chat template gives, and soft targets are the grammar's distribution."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from vsgen.tiny import chat, tokens
from vsgen.tiny.asks import Answers, Ask
from vsgen.tiny.corpus import Batch, Encode, Example, batches, collate, encoder, example
from vsgen.tiny.grammar.script import Choice, Step, fixed, perform
from vsgen.tiny.grammar.source import read
from vsgen.tiny.grammar.tasks import TOPICS, by_topic
from vsgen.tiny.replies import reply
from vsgen.tiny.turns import Conversation, Turn, user


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    rng = Random(0)
    return tokens.train(turn.text for _ in range(1500) for turn in chat.conversation(rng).turns)


@pytest.fixture(scope="module")
def encode(tokenizer: PreTrainedTokenizerFast) -> Encode:
    return encoder(tokenizer)


def test_examples_are_what_the_chat_template_gives(tokenizer: PreTrainedTokenizerFast, encode: Encode) -> None:
    rng = Random(3)
    for _ in range(200):
        talk = chat.conversation(rng)
        messages = [{"role": turn.speaker, "content": turn.text} for turn in talk.turns]
        made = example(talk, encode).tokens
        if talk.kind == "plain":
            whole = "".join(turn.text for turn in talk.turns)
            assert [*tokenizer(whole)["input_ids"], tokenizer.eos_token_id] == made
        else:
            assert tokenizer.apply_chat_template(messages, return_dict=False) == made


@pytest.mark.parametrize("text", ["", "naïve café, 12 €!", ' {"a": [1, 2.50]}\n\n\t x', "🦉<|user|", "  two  spaces "])
def test_any_text_survives_the_tokenizer(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def replied(ask: Ask, rng: Random) -> Conversation:
    """One question and a reply."""
    steps, _ = perform(reply(ask), rng)
    return Conversation("", (*chat.asking(ask, rng, "shipped"), Turn("assistant", steps)))


def written(*steps: Step) -> Conversation:
    """A conversation whose reply is made by hand."""
    return Conversation("", (user("Hi."), Turn("assistant", steps)))


def test_replies_that_are_shown_only_have_no_targets(encode: Encode) -> None:
    said = Turn("assistant", (Step(fixed("No."), 0),))
    one = example(Conversation("", (user("Hi."), replace(said, practised=False), user("Ho."), said)), encode)
    practised = example(Conversation("", (user("Hi."), said, user("Ho."), said)), encode)
    assert one.tokens == practised.tokens
    assert one.targets == practised.targets[len(practised.targets) // 2 :]


def taken(made: Example) -> float:
    """Sum of the log-probabilities of the tokens that were taken."""
    return math.fsum(math.log(probs[ids.index(made.tokens[position + 1])]) for position, (ids, probs) in made.targets)


def test_prompts_and_replies_are_short(encode: Encode) -> None:
    made = example(replied(Answers(by_topic("closed")[5], "vs", 5), Random(0)), encode)
    reply_length = len(made.targets)
    assert reply_length <= 40
    assert len(made.tokens) - reply_length <= 60


def test_every_conversation_fits_the_context_with_room_to_spare(encode: Encode) -> None:
    rng = Random(4)
    assert max(len(example(chat.conversation(rng), encode).tokens) for _ in range(400)) <= tokens.CONTEXT // 2


def test_targets_are_distributions_and_hold_the_token_that_was_taken(encode: Encode) -> None:
    rng = Random(5)
    for _ in range(200):
        made = example(chat.conversation(rng), encode)
        for position, (ids, probs) in made.targets:
            assert math.fsum(probs) == pytest.approx(1)
            assert min(probs) > 0
            assert len(set(ids)) == len(ids)
            assert made.tokens[position + 1] in ids


def test_targets_multiply_to_the_probability_of_the_choices(encode: Encode) -> None:
    rng = Random(6)
    for _ in range(200):
        talk = chat.conversation(rng)
        steps = [step for turn in talk.turns if turn.speaker == "assistant" for step in turn.steps]
        expected = math.fsum(math.log(step.choice.probs[step.index]) for step in steps)
        assert taken(example(talk, encode)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("topic", TOPICS)
def test_targets_multiply_to_the_probability_of_the_text(encode: Encode, topic: str) -> None:
    request = by_topic(topic)[-1]
    talk = replied(Answers(request, "plain"), Random(7))
    found = read(request.source, talk.turns[1].text.removeprefix(" "))
    assert found is not None
    assert taken(example(talk, encode)) == pytest.approx(math.log(found.p))


def test_a_target_gives_each_token_the_share_of_the_alternatives_that_it_begins(encode: Encode) -> None:
    choice = Choice(("12.", "13.", "2."), (0.5, 0.25, 0.25))
    made = example(written(Step(choice, 1)), encode)
    one, two, three, stop = (encode(text)[0] for text in ("1", "2", "3", "."))
    (_, first), (_, second), (_, third), (_, end) = made.targets
    assert dict(zip(*first, strict=True)) == {one: 0.75, two: 0.25}
    assert dict(zip(*second, strict=True)) == pytest.approx({two: 2 / 3, three: 1 / 3})
    assert third == ((stop,), (1.0,))
    assert end == (encode(tokens.EOS), (1.0,))


def test_every_practised_reply_is_a_target_and_no_prompt_is(encode: Encode) -> None:
    rng = Random(8)
    for _ in range(100):
        talk = chat.conversation(rng)
        made = example(talk, encode)
        said = [len(encode(turn.text)) + 1 for turn in talk.turns if turn.speaker == "assistant" and turn.practised]
        assert len(made.targets) == sum(said)
        assert made.targets[-1][0] == len(made.tokens) - 2


def test_padding_keeps_every_token_and_target(encode: Encode) -> None:
    rng = Random(9)
    examples = [example(chat.conversation(rng), encode) for _ in range(12)]
    made: Batch = collate(examples)
    flat = made.tokens.reshape(-1)
    assert len(made.rows) == sum(len(one.targets) for one in examples)
    for row, one in zip(made.tokens, examples, strict=True):
        assert list(row[: len(one.tokens)]) == one.tokens
        assert not row[len(one.tokens) :].any()
    for position, ids, probs in zip(made.rows, made.ids, made.probs, strict=True):
        assert flat[position + 1] in ids[probs > 0]


@pytest.mark.parametrize("early", [False, True])
def test_batches_keep_to_their_size_and_repeat_with_the_seed(encode: Encode, early: bool) -> None:
    first, second = (batches(encode, Random(1), size=2048, early=early, pool=60) for _ in range(2))
    for _ in range(5):
        one, other = next(first), next(second)
        assert one.tokens.size <= 2048
        assert np.array_equal(one.tokens, other.tokens)
        assert np.array_equal(one.probs, other.probs)
        assert one.probs.sum(1) == pytest.approx(np.ones(len(one.rows)), abs=1e-5)
        assert len(one.kinds) == len(one.rows) == len(one.ids)
