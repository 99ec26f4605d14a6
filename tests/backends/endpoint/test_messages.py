from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.endpoint.dialogs import asked_of, ok, talk
from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.messages import Messages
from vsgen.backends.endpoint.wire import Abilities, Said, Unreadable, Usage
from vsgen.values import Completion, Generate, Message, Prompt, Refused, Score

PROMPT = Prompt((Message("system", "Be brief."), Message("user", "A joke, please.")))
CALL = Generate(PROMPT, seed=5, temperature=0.7, max_tokens=50)
LEAST = Abilities()
SCHEMA = json.dumps({"type": "object", "properties": {"text": {"type": "string", "maxLength": 9}}})


def body(call: Generate, can: Abilities = LEAST) -> Any:
    return asked_of(Messages().dialog(call, "m", can))[1]


def message(*blocks: object, end: object = "end_turn", **usage: int) -> dict[str, object]:
    counted = {"input_tokens": 11, "output_tokens": 3, **usage}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
    return {**head, "content": list(blocks), "stop_reason": end, "usage": counted}


def block(text: str) -> dict[str, object]:
    return {"type": "text", "text": text}


def said(reply: object, status: int = 200) -> Said:
    return talk(Messages().dialog(CALL, "m", Abilities()), lambda _: ok(reply, status))


def test_the_system_message_stands_apart_from_the_turns() -> None:
    assert asked_of(Messages().dialog(CALL, "m", Abilities())) == (
        "messages",
        {
            "model": "m",
            "system": "Be brief.",
            "messages": [{"role": "user", "content": "A joke, please."}],
            "max_tokens": 50,
            "temperature": 0.7,
        },
    )


def test_every_request_names_the_version_of_the_api() -> None:
    request = next(Messages().dialog(CALL, "m", LEAST))
    assert isinstance(request, Request) and request.headers == {"anthropic-version": "2023-06-01"}


def test_what_the_api_has_in_its_own_form_is_sent_in_it() -> None:
    call = replace(CALL, schema=SCHEMA, stop=("\n", "END"), top_k=3, prompt=replace(PROMPT, prefill="Why "))
    made = body(call, Abilities("strict", prefill=True, top_k=True))
    assert made["stop_sequences"] == ["END"] and made["top_k"] == 3 and "seed" not in made
    assert made["messages"][-1] == {"role": "assistant", "content": "Why"}
    assert made["output_config"]["format"]["type"] == "json_schema"
    assert "maxLength" not in str(made["output_config"])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (Score(PROMPT, ("a",)), "votes or method: verbalized"),
        (replace(CALL, temperature=1.5), "temperatures above 1"),
        (replace(CALL, prompt=replace(PROMPT, prefill="Why")), "prefill"),
    ],
)
def test_what_the_api_lacks_is_refused_by_name(call: Generate | Score, words: str) -> None:
    assert words in str(Messages().lacks(call, Abilities()))


def test_blocks_become_one_text_without_thoughts() -> None:
    thought = {"type": "thinking", "thinking": "x" * 9, "signature": "s"}
    reply = message(thought, block("H"), block("a."), cache_read_input_tokens=5, cache_creation_input_tokens=2)
    assert said(reply) == Said(Completion("Ha.", prompt_tokens=18, count=3), Usage(18, 3, 2, 5))


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (message(end="refusal"), "content filter"),
        (message({"type": "thinking", "thinking": "hm"}, end="max_tokens"), "raise sampling.max_tokens"),
        (message({"type": "redacted_thinking", "data": "x"}), "wrote no answer"),
    ],
)
def test_a_reply_that_is_none_is_refused_with_the_reason(reply: object, words: str) -> None:
    answer = said(reply).answer
    assert isinstance(answer, Refused) and words in answer.problem


def test_a_reply_that_the_limit_cut_says_so() -> None:
    answer = said(message(block("Ha"), end="max_tokens")).answer
    assert answer == Completion("Ha", stopped=False, prompt_tokens=11, count=3)


def test_a_call_that_is_too_long_is_refused_with_both_numbers() -> None:
    error = {"type": "invalid_request_error", "message": "prompt is too long: 208310 tokens > 200000 maximum"}
    answer = said({"type": "error", "error": error}, 400).answer
    assert isinstance(answer, Refused) and (answer.tokens, answer.context) == (208310, 200000)


@pytest.mark.parametrize(
    "reply",
    [
        message(),
        message("Ha."),
        message(block("Ha."), end="tool_use"),
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        {"content": "Ha."},
        {},
    ],
)
def test_what_cannot_be_used_is_asked_again_and_makes_no_reply(reply: object) -> None:
    with pytest.raises(Unreadable):
        said(reply)


@given(st.binary(max_size=60), st.integers(100, 599))
def test_no_bytes_whatever_crash_the_reader_or_become_a_reply(data: bytes, status: int) -> None:
    try:
        answer = talk(Messages().dialog(CALL, "m", Abilities()), lambda _: Response(status, {}, data)).answer
    except Unreadable:
        return
    assert isinstance(answer, Refused)
