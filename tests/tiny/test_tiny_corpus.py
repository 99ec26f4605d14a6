"""Tokens are those that the chat template gives, and soft targets are the grammar's distribution."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from vsgen.tiny import chat, tokens
from vsgen.tiny.corpus import Encode, Example, batches, encoder, example
from vsgen.tiny.grammar.source import read
from vsgen.tiny.grammar.tasks import by_topic


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


def test_prompts_and_replies_are_short(encode: Encode) -> None:
    made = example(
        chat.Conversation("", chat.vs(by_topic("closed")[5], Random(0), 5, p_max=None, reasoning=False)), encode
    )
    reply = len(made.targets)
    assert reply <= 40
    assert len(made.tokens) - reply <= 60


def test_targets_are_distributions_and_hold_the_token_that_was_taken(encode: Encode) -> None:
    rng = Random(5)
    for _ in range(100):
        made = example(chat.conversation(rng), encode)
        for position, (ids, probs) in made.targets:
            assert math.fsum(probs) == pytest.approx(1)
            assert made.tokens[position + 1] in ids


def test_targets_multiply_to_the_probability_of_the_text(encode: Encode) -> None:
    for topic in ("closed", "ticket", "joke"):
        request = by_topic(topic)[3]
        talk = chat.Conversation("plain", chat.plain(request, Random(7)))
        found = read(request.source, talk.turns[1].text.removeprefix(" "))
        assert found is not None
        assert taken(example(talk, encode)) == pytest.approx(math.log(found.p))


def taken(made: Example) -> float:
    """Sum of the log-probabilities of the tokens that were taken."""
    return math.fsum(math.log(probs[ids.index(made.tokens[position + 1])]) for position, (ids, probs) in made.targets)


def test_batches_keep_to_their_size_and_repeat_with_the_seed(encode: Encode) -> None:
    first, second = (batches(encode, Random(1), size=2048, early=False, pool=60) for _ in range(2))
    for _ in range(5):
        one, other = next(first), next(second)
        assert one.tokens.size <= 2048
        assert np.array_equal(one.tokens, other.tokens)
        assert np.array_equal(one.probs, other.probs)
        assert one.probs.sum(1) == pytest.approx(np.ones(len(one.rows)), abs=1e-5)
        assert len(one.kinds) == len(one.rows) == len(one.ids)
