from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.endpoint.dialogs import asked_of, ok, talk
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.http import Response
from vsgen.backends.endpoint.wire import Abilities, Said, Unreadable, Usage
from vsgen.values import Completion, Generate, Message, Prompt, Refused, Score

PROMPT = Prompt((Message("system", "Be brief."), Message("user", "A joke, please.")))
CALL = Generate(PROMPT, seed=1 << 62 | 5, temperature=0.7, max_tokens=50)
CAN = Abilities()
ALL = Abilities("full", pattern=True, seed=True, top_k=True, prefill=True)
SCHEMA = json.dumps({"type": "object", "properties": {"text": {"type": "string", "maxLength": 9}}})


def body(call: Generate = CALL, can: Abilities = CAN) -> Any:
    return asked_of(Chat().dialog(call, "m", can))[1]


def chat(content: object = "Ha.", end: object = "stop", usage: object = None, **message: object) -> dict[str, object]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content} | message, "finish_reason": end}
    counted = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14} if usage is None else usage
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m"}
    return {**head, "choices": [choice], "usage": counted}


def said(reply: object, call: Generate = CALL, status: int = 200) -> Said:
    return talk(Chat().dialog(call, "m", CAN), lambda _: ok(reply, status))


def text(reply: object, call: Generate = CALL) -> str:
    answer = said(reply, call).answer
    assert isinstance(answer, Completion), answer
    return answer.text


def refusal(reply: object, status: int = 200) -> Refused:
    answer = said(reply, status=status).answer
    assert isinstance(answer, Refused), answer
    return answer


def test_the_least_that_a_server_can_gets_no_member_beyond_the_common_ones() -> None:
    assert asked_of(Chat().dialog(CALL, "m", CAN)) == (
        "chat/completions",
        {
            "model": "m",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "A joke, please."}],
            "max_tokens": 50,
            "temperature": 0.7,
        },
    )


def test_what_a_server_can_is_sent_and_what_it_cannot_is_not() -> None:
    call = replace(CALL, top_p=0.9, top_k=7, min_p=0.1, stop=("\n", "a", "b", "c", "d"))
    more = {"top_p": 0.9, "top_k": 7, "min_p": 0.1, "seed": 5, "stop": ["\n", "a", "b", "c"]}
    assert body(call, ALL).items() >= more.items()
    assert not {"seed", "top_k", "min_p"} & body(call).keys()
    reasoning = Abilities(temperature=False, stop=False, max_completion_tokens=True)
    assert body(call, reasoning).keys() == {"model", "messages", "max_completion_tokens"}


def test_a_server_that_has_settings_of_its_own_is_told_to_draw_from_the_whole_distribution() -> None:
    whole = {"top_p": 1.0, "top_k": 1 << 20, "min_p": 0.0, "repetition_penalty": 1.0}
    assert body(CALL, ALL).items() >= whole.items()
    assert not body(CALL).keys() & whole.keys()


def test_a_schema_goes_as_the_server_takes_it() -> None:
    call = replace(CALL, schema=SCHEMA)
    tight = body(call, replace(ALL, json_schema="tight"))["response_format"]
    assert tight["type"] == "structural_tag" and tight["format"]["max_whitespace_cnt"] == 1
    assert tight["format"]["json_schema"] == json.loads(SCHEMA)
    assert body(call, ALL)["response_format"]["json_schema"]["schema"] == json.loads(SCHEMA)
    strict = body(call, Abilities("strict"))["response_format"]
    assert strict["type"] == "json_schema" and strict["json_schema"]["strict"] is True
    assert "maxLength" not in str(strict)
    assert "response_format" not in body(call)
    assert body(replace(CALL, pattern="a|b"), ALL)["structured_outputs"] == {"regex": "a|b"}


def test_a_prefill_is_the_last_message_and_is_continued() -> None:
    made = body(replace(CALL, prompt=replace(PROMPT, prefill="Why ")), ALL)
    assert made["messages"][-1] == {"role": "assistant", "content": "Why "}
    assert made["continue_final_message"] and not made["add_generation_prompt"]


def test_a_system_message_without_a_place_goes_before_the_first_one() -> None:
    made = body(CALL, replace(CAN, system=False))
    assert made["messages"] == [{"role": "user", "content": "Be brief.\n\nA joke, please."}]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (replace(CALL, prompt=Prompt(prefill="Once")), "plain completion"),
        (replace(CALL, prompt=replace(PROMPT, prefill="Why ")), "prefill"),
        (replace(CALL, prefix=(1,)), "ids of tokens"),
        (replace(CALL, resumable=True), "ids of tokens"),
    ],
)
def test_what_the_server_cannot_do_is_refused_by_name_and_nothing_is_sent(call: Generate, words: str) -> None:
    assert words in str(Chat().lacks(call, CAN))
    with pytest.raises(StopIteration) as end:
        next(Chat().dialog(call, "m", CAN))
    assert words in end.value.value.answer.problem


def test_a_reply_is_its_text_with_the_servers_count_and_no_number_that_nobody_gave() -> None:
    assert said(chat()) == Said(Completion("Ha.", prompt_tokens=11, count=3), Usage(11, 3))
    answer = said(chat(usage={})).answer
    assert answer == Completion("Ha.")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (chat([{"type": "text", "text": "Ha"}, {"type": "text", "text": "."}]), "Ha."),
        (chat("<think>hm</think>\n\nHa."), "Ha."),
        (chat("hm, so\n</think>Ha."), "Ha."),
        (chat("Ha <think>."), "Ha <think>."),
        (chat("Ha <think>hm</think>."), "Ha <think>hm</think>."),
        (chat("Ha.", reasoning_content="hm"), "Ha."),
        (chat("Ha.", refusal=None), "Ha."),
        (chat("Ha.", None), "Ha."),
        (chat("Ha.\x00"), "Ha.\x00"),
    ],
)
def test_every_shape_of_a_reply_is_read_without_its_thoughts(reply: object, expected: str) -> None:
    assert text(reply) == expected


def test_thoughts_are_counted_by_the_server_or_by_their_share() -> None:
    stated = {"prompt_tokens": 1, "completion_tokens": 90, "completion_tokens_details": {"reasoning_tokens": 80}}
    assert said(chat(usage=stated)).usage == Usage(1, 90, 80)
    shared = {"prompt_tokens": 1, "completion_tokens": 100}
    assert said(chat("x" * 10, usage=shared, reasoning_content="y" * 30)).usage.hidden == 75


def test_a_reply_that_the_limit_cut_says_so() -> None:
    assert said(chat(end="length")).answer == Completion("Ha.", stopped=False, prompt_tokens=11, count=3)
    full = {"prompt_tokens": 1, "completion_tokens": 50}
    assert said(chat(end=None, usage=full)).answer == Completion("Ha.", stopped=False, prompt_tokens=1, count=50)


def test_a_reply_ends_before_a_stop_string_that_the_server_left_in() -> None:
    call = replace(CALL, stop=("q", "z", "y", "x", "."))
    assert said(chat("Ha. Ho.", "length"), call).answer == Completion("Ha", prompt_tokens=11, count=3)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (chat(None, refusal="I can't do that."), "the model refuses: I can't do that."),
        (chat([{"type": "refusal", "refusal": "No."}]), "the model refuses: No."),
        (chat("Ha", "content_filter"), "content filter"),
        (chat("", "length"), "the whole limit of 50 tokens went before"),
        (chat(None, "length", {"completion_tokens_details": {"reasoning_tokens": 50}}), "raise sampling.max_tokens"),
        (chat("<think>and so on", "length"), "the whole limit"),
        (chat("<think>hm</think>", "stop"), "wrote no answer"),
        (chat("", "stop", reasoning_content="hm"), "wrote no answer"),
    ],
)
def test_a_reply_that_is_none_is_refused_with_the_reason(reply: object, words: str) -> None:
    assert words in refusal(reply).problem


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\x00\x01",
        b"<html>502</html>",
        b'{"choices": [',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"choices":' * 10_000,
        b'{"choices": [{"message": {"content": "\\ud800"}}]}',
        b'{"choices": [{"message": {"content": "\xff"}}]}',
        [],
        None,
        {},
        {"error": {"message": "overloaded", "type": "server_error"}},
        {"error": "overloaded"},
        {**chat(), "error": {"message": "overloaded", "code": 502}},
        {"choices": []},
        {"choices": [None]},
        {"choices": {"0": {}}},
        {"choices": [{"message": "Ha."}]},
        {"choices": [{"text": "Ha."}]},
        chat(None),
        chat(7),
        chat(["Ha."]),
        chat([]),
        chat(True),
        chat("Ha.", "tool_calls"),
        chat("Ha.", "error"),
        chat("", "stop", {"prompt_tokens": 3, "completion_tokens": 0}),
    ],
)
def test_what_cannot_be_used_is_asked_again_and_makes_no_reply(reply: object) -> None:
    with pytest.raises(Unreadable) as caught:
        said(reply)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 500
    again = iter([ok(reply), ok(chat())])
    assert talk(Chat().dialog(CALL, "m", CAN), lambda _: next(again), 2).answer == said(chat()).answer


@pytest.mark.parametrize(
    ("error", "tokens", "context"),
    [
        ({"message": "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 "
          "tokens. Please reduce the length.", "code": "context_length_exceeded"}, 9001, 8192),
        ({"message": "This model's maximum context length is 2048 tokens. However, you requested 3000 tokens (2000 "
          "in the messages, 1000 in the completion).", "type": "BadRequestError", "code": 400}, 3000, 2048),
        ({"message": "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in "
          "300000 tokens.", "code": "context_length_exceeded"}, 300000, 272000),
        ({"message": "The decoder prompt (length 3000) is longer than the maximum model length of 2048."}, 3000, 2048),
        ({"message": "prompt is too long: 208310 tokens > 200000 maximum", "type": "invalid_request_error"},
         208310, 200000),
        ({"message": "the request exceeds the available context size. try increasing it", "code": 400,
          "type": "exceed_context_size_error", "n_prompt_tokens": 700, "n_ctx": 512}, 700, 512),
    ],
)  # fmt: skip
def test_a_call_that_is_too_long_is_refused_with_both_numbers(error: object, tokens: int, context: int) -> None:
    found = refusal({"error": error}, 400)
    assert (found.why, found.tokens, found.context) == ("too-long", tokens, context)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"error": {"message": "bad \x1b[31m\nword", "code": "content_filter"}},
            r"content filter .* bad \x1b[31m word",
        ),
        ({"error": {"message": "no such model"}}, "no such model"),
        ({"error": "no such model"}, "no such model"),
        ({"message": "no such model", "object": "error"}, "no such model"),
        ({"detail": [{"loc": ["body", "x"], "msg": "extra fields"}]}, "extra fields"),
        ({"error": {"message": "too long", "code": "context_length_exceeded"}}, "shorten the text"),
        (b"<html>", "<html>"),
        (b"", "no reason given"),
        (b"\xff" * 10_000, "\ufffd"),
    ],
)
def test_a_request_that_the_server_blames_is_refused_in_its_words(body: object, words: str) -> None:
    found = refusal(body, 422)
    assert found.why == "refused" and len(found.problem) < 500
    assert all(part in found.problem for part in words.split(" .* "))
    assert "\x1b" not in found.problem


def test_other_calls_than_replies_are_not_for_this_wire() -> None:
    assert Chat().lacks(Score(PROMPT, ("a",)), CAN)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 1 << 70)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["stop"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.binary(max_size=60), st.integers(100, 599))
def test_no_bytes_whatever_crash_the_reader_or_become_a_reply(data: bytes, status: int) -> None:
    try:
        answer = talk(Chat().dialog(CALL, "m", CAN), lambda _: Response(status, {}, data)).answer
    except Unreadable:
        return
    assert isinstance(answer, Refused)


@given(st.data())
def test_no_value_in_any_place_of_a_reply_crashes_the_reader_or_invents_a_text(data: st.DataObject) -> None:
    reply: Any = orjson.loads(orjson.dumps(chat("Ha.", reasoning_content="hm")))
    place = data.draw(
        st.sampled_from(
            [
                (reply, "choices"),
                (reply, "usage"),
                (reply, "error"),
                (reply["choices"][0], "message"),
                (reply["choices"][0], "finish_reason"),
                (reply["choices"][0]["message"], "content"),
                (reply["choices"][0]["message"], "refusal"),
                (reply["choices"][0]["message"], "reasoning_content"),
                (reply["usage"], "completion_tokens"),
            ]
        )
    )
    value = data.draw(JSON)
    place[0][place[1]] = value
    try:
        answer = said(json.dumps(reply).encode()).answer
    except Unreadable:
        return
    if isinstance(answer, Completion):
        assert answer.text in ("Ha.", value) or (place[1] == "content" and answer.text in str(value))
        assert answer.count >= 0 and answer.logp is None
