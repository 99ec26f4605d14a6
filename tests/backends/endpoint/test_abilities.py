from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from tests.backends.endpoint.dialogs import ok
from tests.backends.endpoint.examining import examine
from vsgen.backends.endpoint.abilities import Found
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.messages import Messages
from vsgen.backends.endpoint.needs import FALLBACKS, missing
from vsgen.backends.endpoint.wire import Abilities, Wire
from vsgen.values import Generate, Message, Prompt

Answer = Callable[[dict[str, Any]], Response | None]


def examined(answer: Answer, wire: Wire | None = None, only: set[str] | None = None) -> tuple[Found, list[Any]]:
    """What is found out about a server, and what it was asked."""
    asked: list[Any] = []
    dialog = examine(wire or Chat(), "m", only)
    try:
        request = next(dialog)
        while True:
            assert isinstance(request, Request)
            body = orjson.loads(request.body)
            asked.append(body)
            request = dialog.send(answer(body))
    except StopIteration as end:
        found: Found = end.value
        return found, asked


def reply(text: str | None, usage: Any = None, **more: object) -> Response:
    message = {"role": "assistant", "content": text}
    return ok({"choices": [{"message": message, "finish_reason": "stop", **more}], "usage": usage or {}})


def refuses(message: str, status: int = 400) -> Response:
    return ok({"error": {"message": message, "type": "invalid_request_error"}}, status)


def listed() -> dict[str, Any]:
    top = [{"token": "yes", "logprob": math.log(0.6)}, {"token": "no", "logprob": math.log(0.3)}]
    return {"content": [{**top[0], "top_logprobs": top}]}


def vllm(body: dict[str, Any]) -> Response:
    """Heeds all that it takes."""
    if "prompt_logprobs" in body:
        last = body["messages"][-1]["content"]
        ids = [1, 2, *map(ord, last), 3, 4]
        return ok({"choices": [{}], "prompt_logprobs": [None, *({str(one): {"logprob": -1.0}} for one in ids)]})
    if body.get("logprobs"):
        return reply("yes", logprobs=listed())
    if "structured_outputs" in body:
        return reply("qx42")
    if "response_format" in body:
        return reply('{"a": "qx", "b": "ban"}')
    fixed = f"12345678901{body.get('seed', 2)}" if "seed" in body or body.get("top_k") == 1 else "banana"
    read = sum(len(one["content"].split()) + 2 for one in body["messages"])
    usage = {"prompt_tokens": read - 2 * bool(body.get("continue_final_message")), "completion_tokens": 3}
    return reply(fixed, usage)


def older_vllm(body: dict[str, Any]) -> Response:
    """Refuses forms that bound spaces, and lets any be written."""
    form = body.get("response_format", {}).get("type")
    if form == "structural_tag":
        return refuses("extra fields are not permitted: max_whitespace_cnt")
    return reply('{\n  "a"  \n  :\n\n  "q', finish_reason="length") if form else vllm(body)


def ollama(body: dict[str, Any]) -> Response:
    """Takes everything and heeds little."""
    ollama.count += 1  # type: ignore[attr-defined]
    return reply(f"Sure! {ollama.count}: 1, 2, 3")  # type: ignore[attr-defined]


ollama.count = 0  # type: ignore[attr-defined]


def openai(body: dict[str, Any]) -> Response:
    """A reasoning model of OpenAI: refuses in its words."""
    if "max_tokens" in body:
        return refuses(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
    if "temperature" in body:
        return refuses("Unsupported value: 'temperature' does not support 0.9 with this model. Only 1 is supported.")
    if strange := body.keys() & {"top_k", "min_p", "prompt_logprobs", "structured_outputs", "continue_final_message"}:
        return refuses(f"Unrecognized request argument supplied: {min(strange)}")
    if "stop" in body:
        return refuses("Unsupported parameter: 'stop' is not supported with this model.")
    usage = {"prompt_tokens": 9, "completion_tokens": 60, "completion_tokens_details": {"reasoning_tokens": 50}}
    form = body.get("response_format", {}).get("json_schema", {})
    if form and not form.get("strict"):
        return reply('{"a": "qx", "b": "banana"}', usage)
    return reply('{"a": "qx", "b": "banana"}' if form else f"{len(str(body)) * 7}", usage)


def test_a_server_that_heeds_everything_can_everything() -> None:
    found, asked = examined(vllm)
    assert found.problem is None and not found.reasons.keys() - {"tokens"}
    expected = Abilities(
        "tight", pattern=True, logprobs=True, top_logprobs=20, prompt_logprobs=True, seed=True, prefill=True, top_k=True
    )
    assert found.can == expected
    assert len(asked) <= 24


def test_a_form_that_a_small_model_fills_with_spaces_is_held_all_the_same() -> None:
    found, _ = examined(older_vllm, only={"json_schema"})
    assert found.can == Abilities("full")


def test_a_model_that_goes_on_with_its_own_message_in_another_turn_has_no_prefill() -> None:
    def turn_by_turn(body: dict[str, Any]) -> Response:
        read = sum(len(one["content"].split()) + 2 for one in body["messages"])
        return reply("anana, as I said", {"prompt_tokens": read, "completion_tokens": 4})

    assert not examined(turn_by_turn, only={"prefill"})[0].can.prefill


def test_a_seed_is_seen_with_a_model_that_replies_to_some_prompts_alone() -> None:
    def terse(body: dict[str, Any]) -> Response:
        knows = "ticket" in body["messages"][-1]["content"]
        return reply(f"Help {body.get('seed')}" if knows else "", {"prompt_tokens": 5, "completion_tokens": 1})

    assert examined(terse, only={"seed"})[0].can.seed


def test_a_seed_that_is_not_heeded_is_seen_in_two_replies() -> None:
    count = iter(range(99))
    found, asked = examined(lambda body: reply(f"banana {next(count)}", {"prompt_tokens": 5}), only={"seed"})
    assert not found.can.seed and len(asked) == 3


def test_a_model_that_always_replies_alike_shows_no_seed() -> None:
    assert not examined(lambda body: reply("banana", {"prompt_tokens": 5}), only={"seed"})[0].can.seed


def test_what_a_server_takes_and_does_not_heed_is_absent() -> None:
    assert examined(ollama)[0].can == Abilities()


def test_a_reasoning_model_is_asked_in_the_form_that_its_refusals_name() -> None:
    found, _ = examined(openai)
    expected = Abilities("strict", temperature=False, stop=False, max_completion_tokens=True, reasoning=True)
    assert replace(found.can, seed=False) == expected
    assert "'stop' is not supported" in found.reasons["stop"]
    assert "continue_final_message" in found.reasons["prefill"]


def test_a_cap_on_alternatives_is_found() -> None:
    def capped(body: dict[str, Any]) -> Response:
        return refuses("top_logprobs must be <= 5") if body.get("top_logprobs", 0) > 5 else vllm(body)

    assert examined(capped)[0].can.top_logprobs == 5


@pytest.mark.parametrize(
    "answer",
    [
        lambda body: refuses("the model does not exist"),
        lambda body: None,
        lambda body: ok(b"<html>"),
        lambda body: ok({"choices": []}),
    ],
)
def test_a_server_that_does_not_answer_has_no_abilities_but_a_problem(answer: Answer) -> None:
    found, asked = examined(answer)
    assert found.problem and found.can == Abilities() and len(asked) <= 4


def test_a_request_that_is_given_up_costs_one_ability_and_not_the_others() -> None:
    found, _ = examined(lambda body: None if "seed" in body and len(body) < 6 else vllm(body))
    assert not found.can.seed and found.can.json_schema == "tight"


def test_each_request_of_a_walk_may_be_unreadable_once() -> None:
    seen: set[str] = set()

    def flaky(body: dict[str, Any]) -> Response:
        if (asked := str(body)) not in seen:
            seen.add(asked)
            return ok(b"<html>")
        return vllm(body)

    assert examined(flaky, only={"prompt_logprobs", "top_logprobs"})[0].can == Abilities(
        logprobs=True, top_logprobs=20, prompt_logprobs=True
    )


def test_only_what_matters_is_asked() -> None:
    found, asked = examined(vllm, only={"seed"})
    assert found.can == Abilities(seed=True) and len(asked) == 5


def test_anthropics_form_is_examined_with_its_own_wire() -> None:
    def anthropic(body: dict[str, Any]) -> Response:
        if body["messages"][-1]["role"] == "assistant":
            return refuses("This model does not support assistant message prefill.")
        text = '{"a": "qx", "b": "banana"}' if "output_config" in body else "banana"
        if "maxLength" in str(body):
            return refuses("output_config.format.schema: maxLength is not supported")
        usage = {"input_tokens": 3, "output_tokens": 3}
        return ok(
            {"type": "message", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "usage": usage}
        )

    found, _ = examined(anthropic, Messages(), {"json_schema", "prefill", "top_logprobs", "prompt_logprobs"})
    assert found.can == Abilities("strict")
    assert "does not support assistant message prefill" in found.reasons["prefill"]


def test_the_wire_without_a_seed_has_none_though_chance_looks_like_one() -> None:
    texts = iter("aabb")

    def anthropic(body: dict[str, Any]) -> Response:
        text = next(texts, "z") if "story" in str(body) or "animal" in str(body) else "banana"
        usage = {"input_tokens": 3, "output_tokens": 3}
        content = [{"type": "text", "text": text}]
        return ok({"type": "message", "content": content, "stop_reason": "end_turn", "usage": usage})

    assert not examined(anthropic, Messages(), {"seed"})[0].can.seed


def test_every_ability_that_a_call_may_miss_has_a_fallback() -> None:
    turns = (Message("system", "x"), Message("user", "y"))
    call = Generate(Prompt(turns), 1, 0.5, 0.9, 3, 0.1, 9, ("#",), "{}", "a")
    least = Abilities(system=False, temperature=False, stop=False)
    assert set(missing(call, least)) == {"json_schema", "pattern", "seed", "top_k", "stop", "temperature", "system"}
    assert set(missing(call, least)) <= FALLBACKS.keys() <= set(Abilities.__slots__)
    able = Abilities("full", pattern=True, seed=True, top_k=True)
    assert missing(call, able) == ()
    assert missing(Generate(Prompt(turns[1:]), 1), Abilities(seed=True)) == ()
