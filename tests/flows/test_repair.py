"""Repair, moved by hand: what does not fit is asked for once more with the reason, and what comes back counts."""

from __future__ import annotations

import json

from vsgen.flow import play
from vsgen.flows.draw import Outcome, Pipeline, Quota
from vsgen.template.schema import Template
from vsgen.values import Answer, Call, Completion, Generate, Message, Models, Refused, Row

LONG = Refused("too-long", "too long", tokens=9, context=8)


def template(**more: object) -> Template:
    base = {"version": 1, "name": "t", "prompt": "Write a line of Python.", "dedup": False, "repair": 1}
    return Template.model_validate({**base, "check": {"text": "python"}, "sampling": {"k": 2}, **more})


def listed(*items: tuple[str, float]) -> str:
    return json.dumps({"responses": [{"text": text, "probability": p} for text, p in items]})


GOOD_AND_BAD = listed(("x = 1", 0.5), ("x = (", 0.25))


def played(made: Template, *said: str | Refused, asked: list[Generate] | None = None) -> Outcome:
    """The outcome of a draw whose calls are answered with these, in their order."""
    replies = iter(said)

    def answer(call: Call) -> Answer:
        assert isinstance(call, Generate)
        if asked is not None:
            asked.append(call)
        text = next(replies)
        return text if isinstance(text, Refused) else Completion(text, (1, 2), -1.0)

    draw = Pipeline(made, seed=1, models=Models("m"), index=None, quota=Quota(None)).draw(Row(0), 0)
    outcome = play(draw, lambda calls: [answer(call) for call in calls])
    assert next(replies, None) is None
    assert outcome.candidates == len(outcome.records) + len(outcome.rejected)
    return outcome


def test_a_mended_candidate_keeps_its_place_its_weight_and_its_stated_probability() -> None:
    outcome = played(template(), GOOD_AND_BAD, "x = (2)")
    assert [one.fields["text"] for one in outcome.records] == ["x = 1", "x = (2)"]
    mended = outcome.records[1]
    assert (mended.id, round(mended.probability, 6), mended.meta["verbalized"]) == ("t/000000.1", 0.333333, 0.25)
    assert (mended.meta["repaired"], mended.meta["original"]) == (1, {"text": "x = ("})
    assert "repaired" not in outcome.records[0].meta
    assert "logp" not in mended.meta
    assert (outcome.calls, outcome.tokens) == (2, 4)


def test_the_conversation_goes_on_from_the_task_with_the_answer_and_the_reason() -> None:
    asked: list[Generate] = []
    played(template(sampling={"k": 2, "temperature": 0.5}), GOOD_AND_BAD, "x = 2", asked=asked)
    first, again = asked
    assert again.prompt.messages[:2] == (Message("user", "Write a line of Python."), Message("assistant", "x = ("))
    last = again.prompt.messages[2]
    assert last.role == "user"
    assert "fit: is not valid Python: line 1: '(' was never closed. " in last.content
    assert last.content.endswith("\n\nWrite a line of Python.")
    assert (again.temperature, again.schema) == (0.5, None)
    assert again.seed != first.seed


def test_one_that_cannot_be_mended_stays_refused_as_it_was() -> None:
    outcome = played(template(), GOOD_AND_BAD, "y = [")
    (reject,) = outcome.rejected
    assert (reject.reason, reject.record.fields) == ("check", {"text": "x = ("})
    assert "repaired" not in reject.record.meta
    assert reject.detail == "text: is not valid Python: line 1: '(' was never closed"


def test_it_is_asked_up_to_repair_times_and_the_conversation_grows() -> None:
    asked: list[Generate] = []
    outcome = played(template(repair=3), GOOD_AND_BAD, "y = [", "z = 3", asked=asked)
    assert [one.meta.get("repaired") for one in outcome.records] == [None, 2]
    said = [message.content for message in asked[2].prompt.messages if message.role == "assistant"]
    assert said == ["x = (", "y = ["]
    assert "'[' was never closed" in asked[2].prompt.messages[-1].content


def test_nothing_is_asked_again_by_default_and_nothing_where_all_fits() -> None:
    assert len(played(template(repair=0), GOOD_AND_BAD).rejected) == 1
    assert len(played(template(), listed(("x = 1", 0.5))).records) == 1


def test_schema_and_filter_are_mended_but_a_placeholder_and_an_improbable_answer_are_not() -> None:
    made = template(output={"max_chars": 8}, filter={"text": {"reject": "z"}}, sampling={"k": 5, "p_min": 0.1})
    said = listed(("x = 1234567", 0.2), ("z = 1", 0.2), ("...", 0.2), ("x =", 0.05))
    outcome = played(made, said, "x = 4", "y = 5")
    assert [one.fields["text"] for one in outcome.records] == ["x = 4", "y = 5"]
    assert [(one.record.fields["text"], one.reason) for one in outcome.rejected] == [
        ("...", "placeholder"),
        ("x =", "filter"),
    ]


def test_an_echo_is_no_repair() -> None:
    made = template(output={"max_chars": 60}, check={}, filter={"text": {"match": "[;=]"}})
    for echo in ("Write a line of Python.", "That answer does not fit; answer again."):
        (reject,) = played(made, listed(("x = 1", 0.5), ("pass", 0.5)), echo).rejected
        assert (reject.reason, reject.record.fields["text"]) == ("filter", "pass")


def test_a_call_that_is_too_long_leaves_its_reject_as_it_was_and_the_others_are_mended() -> None:
    said = listed(("x = (", 0.5), ("y = (", 0.25))
    outcome = played(template(), said, "x = 1", LONG)
    assert [one.fields["text"] for one in outcome.records] == ["x = 1"]
    assert [(one.reason, one.record.fields["text"]) for one in outcome.rejected] == [("check", "y = (")]


def test_a_reply_that_holds_no_answer_is_tried_once_more() -> None:
    outcome = played(template(repair=2), GOOD_AND_BAD, "  ", "x = 3")
    assert [one.meta.get("repaired") for one in outcome.records] == [None, 2]


def test_several_fields_are_asked_for_and_read_as_one_object() -> None:
    schema = {"type": "object", "properties": {"code": {"type": "string"}, "stars": {"type": "integer"}}}
    made = template(output={"schema": schema}, check={"code": "python"})
    asked: list[Generate] = []
    said = json.dumps({"responses": [{"code": "x =", "stars": 4, "probability": 0.5}]})
    outcome = played(made, said, 'Sorry! {"code": "x = 1", "stars": 5}', asked=asked)
    assert [one.fields for one in outcome.records] == [{"code": "x = 1", "stars": 5}]
    assert json.loads(asked[1].prompt.messages[-2].content) == {"code": "x =", "stars": 4}
    assert asked[1].schema is not None and '"responses"' not in asked[1].schema


def test_no_more_candidates_are_mended_than_a_draw_is_budgeted_for() -> None:
    said = listed(("a = (", 0.3), ("b = (", 0.3), ("c = (", 0.3))
    outcome = played(template(), said, "a = 1", "b = 1")
    assert [one.fields["text"] for one in outcome.records] == ["a = 1", "b = 1"]
    assert [one.record.fields["text"] for one in outcome.rejected] == ["c = ("]


def test_repair_does_not_change_what_is_drawn() -> None:
    with_, without = list[Generate](), list[Generate]()
    played(template(), GOOD_AND_BAD, "x = 2", asked=with_)
    played(template(repair=0), GOOD_AND_BAD, asked=without)
    assert with_[0] == without[0]
