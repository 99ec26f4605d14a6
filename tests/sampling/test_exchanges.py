"""Worked exchanges show a reply that the method's own parser reads and its own constraint allows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import jsonschema
import pytest

from tests.sampling.test_methods import TASK, converse
from vsgen.sampling.exchanges import BRIEF, FULL, Exchange, Exemplar, demonstrated, own
from vsgen.sampling.methods import open_sampler
from vsgen.sampling.settings import LISTS, Method, Sampling, Settings
from vsgen.values import Candidate, Distribution, Generate, Message, Prompt

METHODS: tuple[Method, ...] = ("direct", "cot", "sequence", "multi-turn", "vs", "vs-cot", "vs-multi", "power")
ITEM: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 200}},
    "required": ["text"],
    "additionalProperties": False,
}
EXCHANGE = Exchange(
    "Name a metal.",
    (
        Exemplar({"text": "tin"}, 0.3, "soft ones first"),
        Exemplar({"text": "iron (cast)"}, 0.25, "soft ones first"),
        Exemplar({"text": 'a "noble" one'}, 0.125, "soft ones first"),
    ),
)


def forms() -> Iterator[Settings]:
    """Every method in every format that it has."""
    for method in METHODS:
        settings = Settings(Sampling(method=method, k=3, per_turn=2), item_schema=ITEM, exchanges=1)
        yield settings
        if method in ("sequence", "vs", "vs-multi"):
            lines = Sampling(method=method, format="lines", k=3, per_turn=2)
            yield replace(settings, sampling=lines)


def turns(prompt: Prompt) -> tuple[Message, ...]:
    """The exchanges of a prompt."""
    return prompt.messages[1:-1]


def read_back(settings: Settings, prompt: Prompt) -> tuple[Distribution, Generate]:
    """What the method reads in the reply that the exchange shows."""
    reply = turns(prompt)[1].content
    drawn, calls = converse(settings, lambda i, _: reply, task=prompt)
    return drawn, calls[0]


def shown(candidates: tuple[Candidate, ...]) -> list[tuple[object, float | None]]:
    return [(one.fields["text"], one.verbalized) for one in candidates if one.reply == 0]


@pytest.mark.parametrize("settings", list(forms()), ids=lambda one: f"{one.sampling.method}-{one.sampling.format}")
def test_the_method_reads_the_answers_that_its_exchange_shows(settings: Settings) -> None:
    prompt = demonstrated(TASK, settings.sampling, [EXCHANGE], Random(1))
    assert [message.role for message in prompt.messages] == ["system", "user", "assistant", "user"]
    assert (prompt.messages[1].content, prompt.messages[0], prompt.messages[-1]) == ("Name a metal.", *TASK.messages)
    drawn, _ = read_back(settings, prompt)
    assert not drawn.malformed
    known = [(one.fields["text"], one.probability) for one in EXCHANGE.answers]
    if settings.sampling.method in LISTS:
        size = 2 if settings.sampling.method == "vs-multi" else 3
        stating = settings.sampling.method != "sequence"
        assert shown(drawn.candidates) == [(text, p if stating else None) for text, p in known[:size]]
    else:
        assert {one.fields["text"] for one in drawn.candidates} <= {text for text, _ in known}
    reasons = {one.reasoning for one in drawn.candidates}
    assert reasons == ({"soft ones first"} if settings.sampling.method.endswith("cot") else {None})


@pytest.mark.parametrize("settings", list(forms()), ids=lambda one: f"{one.sampling.method}-{one.sampling.format}")
@pytest.mark.parametrize("brief", [True, False])
@pytest.mark.parametrize("p_max", [None, 0.1, 0.013])
def test_our_own_exchanges_obey_what_constrains_the_reply(settings: Settings, brief: bool, p_max: float | None) -> None:
    bound = p_max if settings.sampling.method.startswith("vs") else None
    how = settings.sampling.model_copy(update={"k": 4, "p_max": bound})
    settings = replace(settings, sampling=how, brief=brief)
    for seed in range(8):
        rng = Random(seed)
        prompt = demonstrated(TASK, settings.sampling, own(settings, rng), rng)
        drawn, call = read_back(settings, prompt)
        reply = turns(prompt)[1].content
        assert not drawn.malformed
        if call.schema is not None:
            whole = json.loads(call.schema)
            tolerant = re.sub(r', "multipleOf": [^}]*', "", json.dumps(whole))
            assert jsonschema.Draft202012Validator(json.loads(tolerant)).is_valid(json.loads(reply)), reply
        elif call.pattern is not None:
            assert re.fullmatch(call.pattern, reply), reply
        for one in drawn.candidates:
            if one.verbalized is not None:
                assert 0 < one.verbalized < (p_max or 1)


@pytest.mark.parametrize(("k", "size"), [(1, 1), (2, 2), (9, 9), (10, 10), (30, 10)])
def test_an_exchange_has_as_many_answers_as_are_asked_for_as_far_as_it_goes(k: int, size: int) -> None:
    settings = Settings(Sampling(method="vs", k=k), exchanges=1, brief=True)
    prompt = demonstrated(TASK, settings.sampling, own(settings, Random(0)), Random(0))
    assert len(json.loads(turns(prompt)[1].content)["responses"]) == size


def test_probabilities_that_an_exchange_shows_sum_to_at_most_1() -> None:
    for one in (*BRIEF, *FULL):
        assert sum(one.answers.values()) <= 1 + 1e-9
        assert len(set(one.answers.values())) > 5
        assert one.reasoning


def test_examples_without_probabilities_have_equal_shares() -> None:
    bare = Exchange("Name a metal.", tuple(Exemplar({"text": name}) for name in ("tin", "zinc", "iron")))
    prompt = demonstrated(TASK, Sampling(method="vs", k=3), [bare], Random(0))
    stated = [one["probability"] for one in json.loads(turns(prompt)[1].content)["responses"]]
    assert stated == [0.333] * 3


def test_the_same_generator_shows_the_same_exchange_and_others_show_others() -> None:
    settings = Settings(Sampling(method="vs"), exchanges=1, brief=True)
    asked = {seed: own(settings, Random(seed)) for seed in range(30)}
    assert {seed: own(settings, Random(seed)) for seed in range(30)} == asked
    assert {one.request for shown in asked.values() for one in shown} == {one.request for one in BRIEF}


def test_answers_of_one_word_and_of_a_sentence_have_exchanges_of_their_kind() -> None:
    settings = Settings(Sampling(method="direct"), exchanges=99)
    assert {one.request for one in own(settings, Random(0))} == {one.request for one in FULL}
    assert {one.request for one in own(replace(settings, brief=True), Random(0))} == {one.request for one in BRIEF}


@pytest.mark.parametrize("method", ["cot", "vs-cot"])
def test_no_exchange_is_shown_without_the_reasoning_that_a_method_asks_for(method: Method) -> None:
    bare = Exchange("Name a metal.", (Exemplar({"text": "tin"}, 0.3),))
    assert demonstrated(TASK, Sampling(method=method), [bare], Random(0)) == TASK
    assert demonstrated(TASK, Sampling(method="vs"), [bare], Random(0)) != TASK


def test_an_exchange_begins_with_the_prefill() -> None:
    prompt = demonstrated(replace(TASK, prefill="Sure: "), Sampling(method="direct"), [EXCHANGE], Random(0))
    assert turns(prompt)[1].content.startswith("Sure: ")
    assert prompt.prefill == "Sure: "


def test_our_own_lists_name_the_answer_neutrally_and_rows_have_the_templates_field() -> None:
    item = {**ITEM, "properties": {"colour": ITEM["properties"]["text"]}, "required": ["colour"]}
    settings = Settings(
        Sampling(method="vs", k=2), fields=("colour",), item_schema=item, key="text", exchanges=1, brief=True
    )
    prompt = demonstrated(TASK, settings.sampling, own(settings, Random(0)), Random(0))
    assert set(json.loads(turns(prompt)[1].content)["responses"][0]) == {"text", "probability"}
    call = next(open_sampler(settings)(prompt, Random(0)))[0]  # type: ignore[index]
    assert isinstance(call, Generate) and call.schema is not None
    assert '"text"' in call.prompt.messages[0].content and "colour" not in call.prompt.messages[0].content
    assert "text" in json.loads(call.schema)["properties"]["responses"]["items"]["properties"]
    reply = json.dumps({"responses": [{"text": "red", "probability": 0.5}, {"text": "tan", "probability": 0.2}]})
    drawn, _ = converse(settings, lambda i, _: reply, task=prompt)
    assert [one.fields for one in drawn.candidates] == [{"colour": "red"}, {"colour": "tan"}]
