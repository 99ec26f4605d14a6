"""Replies are spelled as they would be after their prompt, token by token or at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vsgen.backends.chat.detokenizer import Detokenizer, shared_length
from vsgen.backends.chat.reader import Reader
from vsgen.backends.hf.tokenizer import HfTokenizer
from vsgen.errors import ModelError
from vsgen.values import Message, Prompt

MakeTokenizer = Callable[..., Any]
TEXTS = ["The café wants a refund.", "naïve 🙂 déjà vu 東京", "  two  spaces\n\nand lines\t.", "é"]


@pytest.mark.parametrize("spelling", ["bytes", "pieces"])
@pytest.mark.parametrize("text", TEXTS)
def test_text_comes_back_token_by_token_and_at_once(make_tokenizer: MakeTokenizer, spelling: str, text: str) -> None:
    tokenizer = make_tokenizer(spelling)
    context = tokenizer("My bike light:", add_special_tokens=False)["input_ids"]
    ids = tokenizer("My bike light:" + text, add_special_tokens=False)["input_ids"][len(context) :]
    slow, quick = Detokenizer(HfTokenizer(tokenizer), context), Detokenizer(HfTokenizer(tokenizer), context)
    for token in ids:
        slow.feed([token])
    quick.feed(ids)
    assert slow.finish() == quick.finish() == text


def test_space_before_the_first_piece_is_kept_after_a_prompt(make_tokenizer: MakeTokenizer) -> None:
    tokenizer = make_tokenizer("pieces")
    context = tokenizer("My bike")["input_ids"]
    reply = Detokenizer(HfTokenizer(tokenizer), context)
    reply.feed(tokenizer("light", add_special_tokens=False)["input_ids"])
    assert reply.finish() == " light"


@pytest.mark.parametrize(("stops", "text"), [(("wants",), "The café "), (("é w", "caf"), "The "), (("nothing",), None)])
def test_text_ends_before_the_first_stop_string(
    make_tokenizer: MakeTokenizer, stops: tuple[str, ...], text: str | None
) -> None:
    tokenizer = make_tokenizer()
    reply = Detokenizer(HfTokenizer(tokenizer), (), stops)
    for token in tokenizer(TEXTS[0])["input_ids"]:
        if not reply.stopped:
            reply.feed([token])
    assert reply.finish() == (TEXTS[0] if text is None else text)
    assert reply.stopped == (text is not None)


def test_bytes_that_are_no_text_end_all_the_same(make_tokenizer: MakeTokenizer) -> None:
    tokenizer = make_tokenizer("pieces")
    reply = Detokenizer(HfTokenizer(tokenizer), ())
    for _ in range(60):
        reply.feed([tokenizer.convert_tokens_to_ids("<0xC3>")])
    assert set(reply.finish()) == {"\ufffd"}
    assert len(reply._window) < 60


def test_shared_length_counts_common_first_elements() -> None:
    assert shared_length(["abc", "abd", "ab"]) == 2
    assert shared_length([(1, 2), (1, 2)]) == 2
    assert shared_length([(), (1,)]) == 0


def test_chat_template_is_used_once_and_prefill_follows_it(make_tokenizer: MakeTokenizer) -> None:
    reader = Reader(HfTokenizer(make_tokenizer()), (0,))
    prompt = Prompt((Message("system", "S"), Message("user", "U")), prefill="Sure")
    assert reader.render(prompt) == ("<|system|>S<|end|>\n<|user|>U<|end|>\n<|assistant|>Sure", False)


def test_without_a_template_a_conversation_is_a_document_of_requests_and_answers(
    make_tokenizer: MakeTokenizer,
) -> None:
    reader = Reader(HfTokenizer(make_tokenizer("pieces")), (2,))
    prompt = Prompt((Message("system", "S"), Message("user", "U")), prefill="Sure")
    assert reader.render(prompt) == ("S\n\nRequest:\nU\n\nAnswer:\nSure", True)
    told = (Message("system", "S"), Message("user", "A"), Message("assistant", "B"), Message("user", "U"))
    document = "S\n\nRequest:\nA\n\nAnswer:\nB\n\nRequest:\nU\n\nAnswer:\n"
    assert reader.render(Prompt(told)) == (document, True)
    assert reader.stops(Prompt(told)) == ("\nRequest:\n",)
    assert reader.ids(prompt)[0] == 1
    assert 1 not in reader.ids(prompt)[1:]


def test_without_a_template_a_lone_message_is_continued_as_it_stands(make_tokenizer: MakeTokenizer) -> None:
    reader = Reader(HfTokenizer(make_tokenizer("pieces")), (2,))
    alone = Prompt((Message("user", "Once upon"),), prefill=" a time")
    assert reader.render(alone) == ("Once upon a time", True)
    assert reader.stops(alone) == ()


def test_without_a_template_a_cue_leads_to_one_line(make_tokenizer: MakeTokenizer) -> None:
    reader = Reader(HfTokenizer(make_tokenizer("pieces")), (2,))
    cued = Prompt((Message("user", "Is it day?"),), cue="Answer:")
    assert reader.render(cued) == ("Is it day?\n\nAnswer:", True)
    assert reader.stops(cued) == ("\n",)


def test_a_chat_template_lays_out_conversations_itself(make_tokenizer: MakeTokenizer) -> None:
    told = (Message("user", "A"), Message("assistant", "B"), Message("user", "U"))
    reader = Reader(HfTokenizer(make_tokenizer()), (0,))
    assert reader.stops(Prompt(told, cue="Answer:")) == ()
    assert "Request:" not in reader.render(Prompt(told))[0]


def test_begin_token_of_the_template_is_not_doubled(make_tokenizer: MakeTokenizer) -> None:
    tokenizer = make_tokenizer("pieces")
    tokenizer.chat_template = "{{ bos_token }}{% for m in messages %}[{{ m.content }}]{% endfor %}"
    assert Reader(HfTokenizer(tokenizer), ()).ids(Prompt((Message("user", "U"),))).count(1) == 1


def test_template_without_system_role_gets_it_in_the_first_user_message(make_tokenizer: MakeTokenizer) -> None:
    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    reader = Reader(HfTokenizer(make_tokenizer(chat=refusing + "{{ messages[0].content }}")), (0,))
    assert reader.render(Prompt((Message("system", "S"), Message("user", "U")))) == ("S\n\nU", False)
    with pytest.raises(ModelError, match="chat template refuses the prompt: no system"):
        reader.render(Prompt((Message("system", "S"), Message("assistant", "U"))))


def test_empty_prompt_is_the_begin_token_else_the_end_token(make_tokenizer: MakeTokenizer) -> None:
    assert Reader(HfTokenizer(make_tokenizer("pieces")), (2,)).ids(Prompt()) == [1]
    assert Reader(HfTokenizer(make_tokenizer()), (0,)).ids(Prompt()) == [0]
    with pytest.raises(ModelError, match="the prompt is empty"):
        Reader(HfTokenizer(make_tokenizer()), ()).ids(Prompt())
