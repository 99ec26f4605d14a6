"""What a model says about itself, and how it says that it reads a prompt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vsgen.backends.chat.reader import Reader
from vsgen.backends.hf.tokenizer import HfTokenizer
from vsgen.backends.open import open_model
from vsgen.backends.open_tokenizer import open_tokenizer
from vsgen.backends.table import TableModel
from vsgen.ports import Inspectable
from vsgen.values import Message, Prompt

PROMPT = Prompt((Message("system", "Be brief."), Message("user", "Name a day.")), prefill="It is")


def test_the_embedded_model_knows_itself() -> None:
    model = open_model("tiny")
    assert isinstance(model, Inspectable)
    facts = model.facts()
    assert facts.parameters and 100_000 < facts.parameters < 10_000_000
    assert (facts.dtype, facts.device, facts.chat) == ("float64", "cpu", True)
    assert facts.context and facts.context > 100


def test_a_prompt_is_rendered_with_its_marks_by_the_model_and_by_its_tokenizer_alone() -> None:
    model = open_model("tiny")
    assert isinstance(model, Inspectable)
    text = model.render(PROMPT)
    assert "Be brief." in text and text.endswith("It is")
    assert text.count("<|") >= 3
    assert open_tokenizer("tiny").render(PROMPT) == text


def test_a_model_that_cannot_say_is_not_asked() -> None:
    assert not isinstance(TableModel.random(0), Inspectable)


_TURNS = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
_REFUSING = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + _TURNS
_MERGING = (
    "{% if messages[0].role == 'system' %}<|user|>{{ messages[0].content }}\n\n{{ messages[1].content }}<|end|>"
    "{% else %}" + _TURNS + "{% endif %}"
)
_DEAF = "{% for m in messages %}{% if m.role != 'system' %}<|user|>{{ m.content }}<|end|>{% endif %}{% endfor %}"


@pytest.mark.parametrize(
    ("chat", "takes"), [(_TURNS, True), (_REFUSING, False), (_MERGING, False), (_DEAF, False), (None, False)]
)
def test_a_place_for_the_system_message_is_one_of_its_own(
    make_tokenizer: Callable[..., Any], chat: str | None, takes: bool
) -> None:
    assert Reader(HfTokenizer(make_tokenizer(chat=chat)), ()).takes_system() is takes
