"""How tokenizers spell answers after a prompt: in their place, exactly, and ended by what the chat template says."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import processors

from vsgen.backends.chat.spell import Speller
from vsgen.backends.hf.tokenizer import HfTokenizer
from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.distributions.trie import plant
from vsgen.errors import ModelError
from vsgen.tiny import WEIGHTS
from vsgen.values import Message, Prompt

PROMPT = Prompt((Message("user", "Name a random colour, 1 or 2."),))
ANSWERS = ("red", "re", "red apple", "blue", "-3.14159", "-3.1", "café", "0.25", "")
_STRIPPING = (
    "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[bot] {% endif %}"
)


@pytest.fixture(params=["bytes", "pieces", "no chat", "no specials"])
def tokenizer(request: pytest.FixtureRequest, make_tokenizer: Callable[..., Any]) -> Any:
    match request.param:
        case "pieces":
            return make_tokenizer("pieces")
        case "no chat":
            return make_tokenizer(chat=None)
        case "no specials":
            return make_tokenizer(chat=_STRIPPING)
        case _:
            return make_tokenizer()


def test_prompt_and_answer_together_are_what_the_tokenizer_makes_of_the_whole_text(tokenizer: Any) -> None:
    speller = Speller(HfTokenizer(tokenizer), "toy")
    ids, rows = speller.spell(PROMPT, ANSWERS)
    chat = tokenizer.chat_template is not None
    text = (
        tokenizer.apply_chat_template(
            [{"role": "user", "content": PROMPT.messages[0].content}], tokenize=False, add_generation_prompt=True
        )
        if chat
        else PROMPT.messages[0].content
    )
    for answer, row in zip(ANSWERS, rows, strict=True):
        assert [*ids, *row] == tokenizer(text + answer, add_special_tokens=not chat)["input_ids"]


def test_a_tokenizer_may_be_asked_for_all_answers_or_for_each(tokenizer: Any) -> None:
    speller = Speller(HfTokenizer(tokenizer), "toy")
    ids, rows = speller.spell(PROMPT, ANSWERS)
    for answer, row in zip(ANSWERS, rows, strict=True):
        alone_ids, (alone,) = speller.spell(PROMPT, [answer])
        assert [*alone_ids, *alone] == [*ids, *row]


@pytest.mark.parametrize("answers", [("red ", " red"), ("<|end|>", "x<|assistant|>y"), ("a\n", "\n")])
def test_blanks_and_names_of_special_tokens_in_answers_are_spelled_as_they_stand(
    make_tokenizer: Callable[..., Any], answers: tuple[str, ...]
) -> None:
    tokenizer = make_tokenizer()
    ids, rows = Speller(HfTokenizer(tokenizer), "toy").spell(PROMPT, answers)
    text = f"<|user|>{PROMPT.messages[0].content}<|end|>\n<|assistant|>"
    assert [tokenizer.decode([*ids, *row]) for row in rows] == [text + answer for answer in answers]
    marks = [token for row in rows for token in row if token in tokenizer.all_special_ids]
    assert not marks, "they are text"


def test_the_end_is_what_the_chat_template_writes_after_an_answer(make_tokenizer: Callable[..., Any]) -> None:
    chatting, plain, bare = make_tokenizer(), make_tokenizer(chat=None), make_tokenizer(chat=_STRIPPING)
    assert Speller(HfTokenizer(chatting), "toy").end == chatting.convert_tokens_to_ids("<|end|>")
    assert Speller(HfTokenizer(plain), "toy").end == plain.eos_token_id
    assert Speller(HfTokenizer(bare), "toy").end == bare.eos_token_id


def test_a_begin_token_stands_once_at_the_beginning(make_tokenizer: Callable[..., Any]) -> None:
    pieces = make_tokenizer("pieces")
    assert Speller(HfTokenizer(pieces), "toy").spell(PROMPT, ["red"])[0].count(pieces.bos_token_id) == 1
    pieces.chat_template = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}"
    ids, _ = Speller(HfTokenizer(pieces), "toy").spell(PROMPT, ["red"])
    assert ids.count(pieces.bos_token_id) == 1 and ids[0] == pieces.bos_token_id


def test_an_end_that_the_tokenizer_adds_is_left_out_and_its_name_in_an_answer_is_text(
    make_tokenizer: Callable[..., Any],
) -> None:
    pieces = make_tokenizer("pieces")
    plain = Speller(HfTokenizer(pieces), "toy").spell(PROMPT, ["red", "red</s>"])
    pieces.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    assert pieces("red")["input_ids"][-1] == pieces.eos_token_id
    assert Speller(HfTokenizer(pieces), "toy").spell(PROMPT, ["red", "red</s>"]) == plain
    assert plain[1][1][:2] == plain[1][0]
    assert pieces.decode(plain[1][1]) == "red</s>" and pieces.eos_token_id not in plain[1][1]


def test_every_tokenizer_gives_an_answer_the_same_probability(tokenizer: Any) -> None:
    speller = Speller(HfTokenizer(tokenizer), "toy")
    probs = [weight / 45 for weight in range(1, 10)]
    ids, rows = speller.spell(PROMPT, ANSWERS)
    trie = plant(rows, probs, speller.end)
    for row, leaf, prob in zip(rows, trie.leaves.tolist(), probs, strict=True):
        path = trie.path(leaf)
        assert trie.tokens[path].tolist() == [*row, speller.end]
        assert math.prod(trie.probs[path].tolist()) == pytest.approx(prob, abs=1e-12)
    assert len(ids) > 1


def test_the_embedded_models_tokenizer_opens_by_name_and_by_folder() -> None:
    tiny, folder = open_tokenizer("tiny"), open_tokenizer(str(WEIGHTS))
    assert (tiny.name, folder.name, tiny.end) == ("tiny", "weights", folder.end)
    assert tiny.spell(PROMPT, ANSWERS) == folder.spell(PROMPT, ANSWERS)


def test_what_is_no_tokenizer_is_said_in_one_line(tmp_path: Path, make_tokenizer: Callable[..., Any]) -> None:
    with pytest.raises(ModelError, match=r"cannot be opened as a tokenizer: .* \(check the files\)$"):
        open_tokenizer(str(tmp_path))
    endless = make_tokenizer(chat=None)
    endless.eos_token = None
    with pytest.raises(ModelError, match="toy: the tokenizer has no token that ends a reply; set its eos_token"):
        Speller(HfTokenizer(endless), "toy")
