"""What each method asks and what it makes of the replies; flows moved by hand, no model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random

import jsonschema
import pytest

from vsgen.flow import Together, Turn
from vsgen.sampling import prompts, schemas
from vsgen.sampling.methods import open_sampler
from vsgen.sampling.settings import Method, Sampling, Settings
from vsgen.values import Completion, Distribution, Generate, Message, Prompt

ITEM = {
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": 40}},
    "required": ["text"],
    "additionalProperties": False,
}
TWO_FIELDS = {
    "type": "object",
    "properties": {"question": {"type": "string"}, "answer": {"type": "integer"}},
    "required": ["question", "answer"],
}
TASK = Prompt((Message("system", "Be brief."), Message("user", "Name a colour.")))


def converse(
    settings: Settings, reply: Callable[[int, Generate], str], seed: int = 0, task: Prompt = TASK
) -> tuple[Distribution, list[Generate]]:
    """Draw once from a model that is a function; returns also every call."""
    flow = open_sampler(settings)(task, Random(seed))
    calls: list[Generate] = []
    try:
        asked = next(flow)
        while True:
            assert not isinstance(asked, Turn | Together)
            answers = []
            for call in asked:
                assert isinstance(call, Generate)
                answers.append(Completion(reply(len(calls), call), (1, 2), -3.0, -3.0))
                calls.append(call)
            asked = flow.send(answers)
    except StopIteration as stop:
        return stop.value, calls


def listed(*items: tuple[str, float | None]) -> str:
    stated = [{"text": text} | ({} if p is None else {"probability": p}) for text, p in items]
    return json.dumps({"responses": stated})


def texts(drawn: Distribution) -> list[object]:
    return [candidate.fields["text"] for candidate in drawn.candidates]


def total(drawn: Distribution) -> float:
    return sum(one.weight for one in drawn.candidates) + sum(one.weight for one in drawn.malformed)


def test_direct_asks_the_task_itself_and_counts_replies_as_frequencies() -> None:
    drawn, calls = converse(Settings(Sampling(method="direct", k=4)), lambda i, _: ["red", "blue", "red", ""][i])
    assert [call.prompt for call in calls] == [TASK] * 4
    assert len({call.seed for call in calls}) == 4
    assert drawn.basis == "frequency"
    assert texts(drawn) == ["red", "blue", "red"]
    assert [one.logp for one in drawn.candidates] == [-3.0] * 3
    assert [one.weight for one in drawn.malformed] == [0.25]
    assert total(drawn) == pytest.approx(1)


def test_direct_keeps_the_newlines_of_a_reply() -> None:
    drawn, _ = converse(Settings(Sampling(method="direct", k=1)), lambda i, _: "a line\n\nanother  line\n")
    assert texts(drawn) == ["a line\n\nanother  line"]


def test_direct_with_several_fields_asks_for_json_and_constrains_it() -> None:
    settings = Settings(Sampling(method="direct", k=1), fields=("question", "answer"), item_schema=TWO_FIELDS)
    drawn, (call,) = converse(settings, lambda i, _: '{"question": "1+1?", "answer": 2}')
    assert drawn.candidates[0].fields == {"question": "1+1?", "answer": 2}
    assert 'with "question" and "answer"' in call.prompt.messages[0].content
    assert call.schema is not None
    assert json.loads(call.schema)["required"] == ["question", "answer"]


def test_cot_keeps_the_reasoning_apart_from_the_answer() -> None:
    drawn, calls = converse(Settings(Sampling(method="cot", k=1)), lambda i, _: '{"reasoning": "warm", "text": "red"}')
    assert calls[0].prompt.messages[0].content.endswith(prompts.cot(["text"]))
    (candidate,) = drawn.candidates
    assert (candidate.fields, candidate.reasoning, candidate.logp) == ({"text": "red"}, "warm", None)


def test_sequence_weighs_all_items_alike() -> None:
    drawn, calls = converse(
        Settings(Sampling(method="sequence", k=3)), lambda i, _: listed(("red", None), ("blue", None), ("tan", None))
    )
    assert len(calls) == 1
    assert drawn.basis == "uniform"
    assert [one.weight for one in drawn.candidates] == pytest.approx([1 / 3] * 3)
    assert [one.verbalized for one in drawn.candidates] == [None] * 3
    assert [one.flags for one in drawn.candidates] == [()] * 3


def test_multi_turn_keeps_the_whole_history_users_turns_included() -> None:
    drawn, calls = converse(Settings(Sampling(method="multi-turn", k=3)), lambda i, _: ["red", "blue", "tan"][i])
    assert texts(drawn) == ["red", "blue", "tan"]
    assert [message.role for message in calls[2].prompt.messages] == ["system", *["user", "assistant"] * 2, "user"]
    assert [message.content for message in calls[2].prompt.messages[2::2]] == ["red", "blue"]
    assert calls[2].prompt.messages[3].content == prompts.another(["text"])


def test_verbalized_weights_keep_the_stated_proportions() -> None:
    drawn, calls = converse(Settings(Sampling(method="vs", k=2)), lambda i, _: listed(("red", 0.6), ("blue", 0.2)))
    assert len(calls) == 1
    assert drawn.basis == "verbalized"
    assert [one.verbalized for one in drawn.candidates] == [0.6, 0.2]
    assert [one.weight for one in drawn.candidates] == pytest.approx([0.75, 0.25])


def test_a_probability_that_was_not_stated_is_null_and_flagged() -> None:
    drawn, _ = converse(Settings(Sampling(method="vs", k=2)), lambda i, _: listed(("red", 0.6), ("blue", None)))
    assert [one.verbalized for one in drawn.candidates] == [0.6, None]
    assert drawn.candidates[1].flags
    assert [one.weight for one in drawn.candidates] == pytest.approx([0.6, 0.4])


def test_an_unreadable_reply_keeps_its_raw_text_and_all_the_weight() -> None:
    drawn, _ = converse(Settings(Sampling(method="vs", k=2)), lambda i, _: "I cannot do that.")
    assert not drawn.candidates
    assert [(one.raw, one.weight) for one in drawn.malformed] == [("I cannot do that.", 1.0)]


def test_vs_cot_asks_for_reasoning_before_the_list() -> None:
    reply = '{"reasoning": "many", "responses": [{"text": "red", "probability": 0.5}]}'
    drawn, (call,) = converse(Settings(Sampling(method="vs-cot", k=1), item_schema=ITEM), lambda i, _: reply)
    assert drawn.candidates[0].reasoning == "many"
    assert call.schema is not None
    assert list(json.loads(call.schema)["properties"]) == ["reasoning", "responses"]


def test_vs_multi_announces_the_total_and_asks_the_rest_in_turns() -> None:
    settings = Settings(Sampling(method="vs-multi", k=5, per_turn=2), item_schema=ITEM)
    replies = [listed(("a", 0.3), ("b", 0.1)), "garbage", listed(("e", 0.1))]
    drawn, calls = converse(settings, lambda i, _: replies[i])
    assert len(calls) == settings.sampling.most[0] == 3
    assert "In all, 5 answers" in calls[0].prompt.messages[0].content
    assert [message.role for message in calls[2].prompt.messages] == ["system", *["user", "assistant"] * 2, "user"]
    assert calls[2].prompt.messages[-1].content == prompts.more(1)
    assert texts(drawn) == ["a", "b", "e"]
    assert [one.weight for one in drawn.malformed] == [pytest.approx(0.4)]
    assert [one.weight for one in drawn.candidates] == pytest.approx([0.36, 0.12, 0.12])
    assert [one.reply for one in drawn.candidates] == [0, 0, 2]


@pytest.mark.parametrize("method", ["direct", "cot", "sequence", "multi-turn", "vs", "vs-cot", "vs-multi"])
def test_a_draw_is_a_function_of_its_generator(method: Method) -> None:
    settings = Settings(Sampling(method=method, k=3))
    _, calls = converse(settings, lambda i, _: "x", seed=4)
    _, same = converse(settings, lambda i, _: "x", seed=4)
    _, other = converse(settings, lambda i, _: "x", seed=5)
    assert calls == same
    assert [call.seed for call in calls] != [call.seed for call in other]
    assert len(calls) == settings.sampling.most[0]


@pytest.mark.parametrize("constrained", [False, True])
def test_the_form_and_the_meaning_are_in_the_words_also_when_a_schema_constrains(constrained: bool) -> None:
    settings = Settings(Sampling(method="vs", k=3, p_max=0.1), item_schema=ITEM if constrained else None)
    _, (call,) = converse(settings, lambda i, _: listed(("a", 0.1)))
    words, task = (message.content for message in call.prompt.messages)
    assert task == "Name a colour."
    assert all(part in words for part in ("Give 3", "below 0.1", "all possible answers", '"text" and "probability"'))
    assert (call.schema is not None) == constrained


def schema_of(settings: Settings) -> dict[str, object]:
    _, calls = converse(settings, lambda i, _: listed(("a", 0.1)))
    assert calls[0].schema is not None
    schema: dict[str, object] = json.loads(calls[0].schema)
    return schema


@pytest.mark.parametrize(
    ("items", "fits"),
    [
        ([("a", 0.5), ("b", 0.25)], True),
        ([("a", 0.5)], False),
        ([("a", 0.5), ("b", 0.2), ("c", 0.1)], False),
        ([("a", 0.5), ("b", None)], False),
        ([("a", 1.5), ("b", 0.2)], False),
        ([("a" * 41, 0.5), ("b", 0.2)], False),
    ],
)
def test_the_schema_enforces_k_the_fields_and_the_range(items: Sequence[tuple[str, float | None]], fits: bool) -> None:
    schema = schema_of(Settings(Sampling(method="vs", k=2), item_schema=ITEM))
    assert jsonschema.Draft202012Validator(schema).is_valid(json.loads(listed(*items))) == fits


def test_generate_carries_every_parameter_of_the_draw() -> None:
    settings = Settings(
        Sampling(method="direct", k=1, temperature=0.7, top_p=0.9, top_k=40, min_p=0.05, max_tokens=9, stop=("END",))
    )
    _, (call,) = converse(settings, lambda i, _: "x")
    drawn = (call.temperature, call.top_p, call.top_k, call.min_p, call.max_tokens, call.stop)
    assert drawn == (0.7, 0.9, 40, 0.05, 9, ("END",))


CLOSED = {"type": "object", "properties": {"text": {"enum": ["red", "light blue", 3]}}, "required": ["text"]}


@pytest.mark.parametrize("method", ["direct", "multi-turn"])
def test_a_bare_answer_of_a_closed_set_is_constrained_to_it(method: Method) -> None:
    _, calls = converse(Settings(Sampling(method=method, k=2), item_schema=CLOSED), lambda i, _: "red")
    for call in calls:
        assert call.schema is None and call.pattern is not None
        assert [bool(re.fullmatch(call.pattern, text)) for text in ("red", " light blue", "3", "green", "")] == [
            *(True, True, True),
            *(False, False),
        ]
    _, (free, *_) = converse(Settings(Sampling(method=method, k=2), item_schema=ITEM), lambda i, _: "red")
    assert free.pattern is None


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [("^[0-9]{4}$", "2024", True), ("^[0-9]{4}$", "24", False), ("ticket", "anything", None), ("^a$|^b$", "c", None)],
)
def test_a_bare_answer_obeys_a_pattern_of_the_whole_text(pattern: str, text: str, fits: bool | None) -> None:
    held = schemas.bare({"properties": {"text": {"type": "string", "pattern": pattern}}})
    assert (None if held is None else bool(re.fullmatch(held, text))) == fits
