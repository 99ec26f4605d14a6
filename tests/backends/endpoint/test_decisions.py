"""The wires of decision interfaces, in both published forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.endpoint.dialogs import asked_of, ok, talk
from tests.backends.endpoint.examining import examine
from vsgen.backends.endpoint.abilities import Found
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.decisions import REFUSED, DecisionWire, WithDecisions
from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.wire import Abilities, Decisions, Said, Unreadable, Usage
from vsgen.values import Decide, Decided, Decision, Generate, Prompt, Refused, TypedQuestion

LATE = TypedQuestion("predicate", "Is it late?")
TEAM = TypedQuestion("choice", "Which team?", ("billing", "how-to"))
TONE = TypedQuestion("score", "How upset?", ("calm", "annoyed", "furious"))
CALL = Decide("Where is my parcel?", (LATE, TEAM, TONE))
KEYED: dict[str, Any] = {
    "q1": {"type": "noul", "noul": 0.9, "probabilities": {"yes": 0.9, "no": 0.1}, "confidence": 0.8},
    "q2": {"type": "choice", "choice": "billing", "probabilities": {"how-to": 0.25, "billing": 0.75}},
    "q3": {"type": "score", "score": 0.5, "probabilities": {"0": 0.5, "1": 0.375, "2": 0.125}},
}
LISTED: list[Any] = [
    {"type": "predicate", "name": "q1", "probability": 0.9},
    {
        "type": "choice",
        "name": "q2",
        "choice": "billing",
        "probabilities": [{"value": "how-to", "probability": 0.25}, {"value": "billing", "probability": 0.75}],
    },
    {
        "type": "score",
        "name": "q3",
        "score": 0.5,
        "probabilities": [
            {"value": 2, "label": "furious", "probability": 0.125},
            {"value": 0, "label": "calm", "probability": 0.5},
            {"value": 1, "label": "annoyed", "probability": 0.375},
        ],
    },
]
SPENT = {"input_tokens": 142, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 100}}


def said(reply: object, form: Decisions = "systemone", status: int = 200, call: Decide = CALL) -> Said:
    return talk(DecisionWire().dialog(call, "m", Abilities(decisions=form)), lambda _: ok(reply, status))


def decisions(reply: object, form: Decisions = "systemone") -> tuple[Decision, ...]:
    answer = said(reply, form).answer
    assert isinstance(answer, Decided), answer
    return answer.decisions


def problem(reply: object, status: int) -> str:
    answer = said(reply, status=status).answer
    assert isinstance(answer, Refused)
    return answer.problem


def test_all_questions_about_a_text_are_one_request_in_the_form_of_system_one() -> None:
    path, body = asked_of(DecisionWire().dialog(CALL, "m", Abilities(decisions="systemone")))
    assert path == "systemone"
    assert body == {
        "model": "m",
        "state": "Where is my parcel?",
        "questions": {
            "q1": {"type": "noul", "instructions": "Is it late?"},
            "q2": {"type": "choice", "instructions": "Which team?", "criteria": {"billing": None, "how-to": None}},
            "q3": {"type": "score", "instructions": "How upset?", "criteria": ["calm", "annoyed", "furious"]},
        },
    }


def test_all_questions_about_a_text_are_one_request_in_the_form_of_openai() -> None:
    path, body = asked_of(DecisionWire().dialog(CALL, "m", Abilities(decisions="decisions")))
    assert path == "decisions"
    levels = [{"label": "calm"}, {"label": "annoyed"}, {"label": "furious"}]
    assert body == {
        "model": "m",
        "input": "Where is my parcel?",
        "questions": [
            {"type": "predicate", "name": "q1", "instructions": "Is it late?"},
            {
                "type": "choice",
                "name": "q2",
                "instructions": "Which team?",
                "choices": [{"value": "billing"}, {"value": "how-to"}],
            },
            {"type": "score", "name": "q3", "instructions": "How upset?", "levels": levels},
        ],
    }


@pytest.mark.parametrize(("form", "answers"), [("systemone", KEYED), ("decisions", LISTED)])
def test_each_option_has_its_own_probability_in_whatever_order_they_come(form: Decisions, answers: object) -> None:
    found = said({"model": "m", "answers": answers, "usage": SPENT}, form)
    assert isinstance(found.answer, Decided)
    late, team, tone = found.answer.decisions
    assert found.usage == Usage(142, 3, cached=100)
    assert late.probs == pytest.approx((0.9, 0.1), abs=1e-12)
    assert (team.probs, tone.probs) == ((0.75, 0.25), (0.5, 0.375, 0.125))
    assert [one.mass for one in found.answer.decisions] == [None] * 3


@pytest.mark.parametrize(
    "beside",
    [
        {"diagnostics": {"q2": {"label_mass": 0.75, "argmax_is_label": True}}},
        {"answers": {**KEYED, "q2": {**KEYED["q2"], "x_label_mass": 0.75}}},
    ],
)
def test_the_mass_of_the_options_is_known_where_the_server_reports_it(beside: Mapping[str, object]) -> None:
    assert [one.mass for one in decisions({"answers": KEYED, **beside})] == [None, 0.75, None]


@pytest.mark.parametrize("mass", ["0.5", True, -0.1, 1.5, None, []])
def test_what_is_no_mass_is_none(mass: object) -> None:
    assert decisions({"answers": KEYED, "diagnostics": {"q1": {"label_mass": mass}}})[0].mass is None


def test_rounded_probabilities_are_renormalized() -> None:
    rounded = {**KEYED, "q3": {"type": "score", "probabilities": {"0": 0.33, "1": 0.33, "2": 0.33}}}
    assert decisions({"answers": rounded})[2].probs == pytest.approx([1 / 3] * 3, abs=1e-15)


@pytest.mark.parametrize("stated", [0.0, 0.01])
def test_probabilities_that_rounding_has_taken_nearly_all_of_are_none(stated: float) -> None:
    classes = tuple(f"c{i}" for i in range(255))
    call = Decide("x", (TypedQuestion("choice", "Which?", classes),))
    probs = {**dict.fromkeys(classes, 0.0), "c7": stated}
    dialog = DecisionWire().dialog(call, "m", Abilities(decisions="systemone"))
    next(dialog)
    step = dialog.send(ok({"answers": {"q1": {"type": "choice", "probabilities": probs}}}))
    assert isinstance(step, Unreadable)


def test_a_question_that_is_refused_by_itself_leaves_the_others_answered() -> None:
    answers = [LISTED[0], {"type": "refusal", "name": "q2"}, LISTED[2]]
    late, team, tone = decisions({"answers": answers}, "decisions")
    assert team == REFUSED and late.probs and tone.probs


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "choice", "choice": "billing"},
        {"type": "noul", "noul": 0.5},
        {"type": "choice", "probabilities": {"billing": 0.75}},
        {"type": "choice", "probabilities": {"billing": 0.75, "how-to": "0.25"}},
        {"type": "choice", "probabilities": {"billing": True, "how-to": 0}},
        {"type": "choice", "probabilities": {"billing": 0.3, "how-to": 0.3}},
        {"type": "choice", "probabilities": {"billing": 1.25, "how-to": -0.25}},
        {"type": "choice", "probabilities": [0.75, 0.25]},
        "billing",
        None,
    ],
)
def test_an_answer_without_a_probability_for_each_option_is_asked_again(changed: object) -> None:
    with pytest.raises(Unreadable):
        said({"answers": {**KEYED, "q2": changed}})


@pytest.mark.parametrize(
    "answers",
    [
        LISTED[:2],
        [*LISTED, LISTED[0]],
        [LISTED[0], LISTED[2], LISTED[1]],
        [LISTED[0], {**LISTED[1], "probabilities": [{"value": ["billing"], "probability": 1}]}, LISTED[2]],
        [{"type": "predicate"}, *LISTED[1:]],
        {"q1": LISTED[0]},
    ],
)
def test_answers_to_other_questions_are_asked_again(answers: object) -> None:
    with pytest.raises(Unreadable):
        said({"answers": answers}, "decisions")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(-9, 1 << 63) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["0", "1", "value", "q1"]), inner),
    max_leaves=8,
)


@given(st.sampled_from(["noul", "choice", "score", "predicate"]), JSON, JSON)
def test_any_answer_is_a_distribution_or_asked_again(kind: str, probs: Any, one: Any) -> None:
    answer = {"type": kind, "probabilities": probs, "noul": one, "probability": one}
    for form, answers in (("systemone", {"q1": answer, "q2": answer, "q3": answer}), ("decisions", [answer] * 3)):
        try:
            found = decisions(orjson.dumps({"answers": answers}), form)  # type: ignore[arg-type]
        except Unreadable:
            continue
        assert all(abs(sum(each.probs) - 1) < 1e-9 for each in found)


def test_more_questions_than_a_request_takes_are_several_requests() -> None:
    sizes: list[int] = []

    def server(request: Request) -> Response:
        asked = orjson.loads(request.body)["questions"]
        sizes.append(len(asked))
        return ok({"answers": {name: {"type": "noul", "noul": 0.25} for name in asked}, "usage": {"input_tokens": 5}})

    call = Decide("x", (LATE,) * 100)
    found = talk(DecisionWire().dialog(call, "m", Abilities(decisions="systemone")), server)
    assert isinstance(found.answer, Decided)
    assert (sizes, len(found.answer.decisions), found.usage) == ([64, 36], 100, Usage(10))


def test_a_label_of_several_tokens_is_refused_with_what_to_do() -> None:
    error = {"error": {"message": "Label 'how-to' must be a single token at the answer position"}}
    assert problem(error, 400).endswith("use other names for the classes, or method: score")


def test_a_text_that_is_too_long_is_refused_as_such() -> None:
    error = {"error": {"message": "This model's maximum context length is 100 tokens, but you sent 200 tokens"}}
    answer = said(error, status=400).answer
    assert isinstance(answer, Refused) and (answer.why, answer.tokens, answer.context) == ("too-long", 200, 100)


def test_a_model_that_cannot_decide_is_refused_in_the_servers_words() -> None:
    assert problem({"error": {"message": "no read strategy"}}, 501).endswith("(status 501): no read strategy")


def test_a_server_without_the_interface_and_other_calls_are_refused_before_anything_is_asked() -> None:
    for wire, call, can in (
        (DecisionWire(), CALL, Abilities()),
        (DecisionWire(), Generate(Prompt(), 1), Abilities(decisions="systemone")),
        (Chat(), CALL, Abilities(decisions="systemone")),
    ):
        assert wire.lacks(call, can)
        dialog = wire.dialog(call, "m", can)
        with pytest.raises(StopIteration) as end:
            next(dialog)
        assert isinstance(end.value.value.answer, Refused)


def examined(statuses: Mapping[str, int]) -> tuple[Found, list[str]]:
    """What is found of a server whose routes answer so, and the routes asked."""
    dialog, asked = examine(WithDecisions(Chat()), "m", {"decisions"}), list[str]()
    try:
        request = next(dialog)
        while True:
            assert request.optional
            asked.append(request.path)
            status = statuses.get(request.path, 404)
            keyed: object = {"q1": {"type": "noul", "noul": 0.9}}
            listed: object = [{"type": "predicate", "probability": 0.9}]
            good = {"answers": keyed if request.path == "systemone" else listed}
            request = dialog.send(ok(good if status == 200 else {"error": {"message": "no"}}, status))
    except StopIteration as end:
        found: Found = end.value
        return found, asked


@pytest.mark.parametrize(
    ("statuses", "form", "asked"),
    [
        ({"systemone": 200, "decisions": 200}, "systemone", ["systemone"]),
        ({"decisions": 200}, "decisions", ["systemone", "decisions"]),
        ({"systemone": 501, "decisions": 200}, "decisions", ["systemone", "decisions"]),
    ],
)
def test_the_form_that_a_server_answers_is_found(
    statuses: Mapping[str, int], form: Decisions, asked: list[str]
) -> None:
    found, routes = examined(statuses)
    assert (found.can.decisions, found.problem, routes) == (form, None, asked)


@pytest.mark.parametrize(("statuses", "why"), [({}, "404"), ({"systemone": 501}, "501"), ({"decisions": 400}, "400")])
def test_why_there_is_no_decision_interface_is_said(statuses: Mapping[str, int], why: str) -> None:
    found, _ = examined(statuses)
    assert found.can.decisions is None
    assert f"status {why}" in found.reasons["decisions"]
