"""Scores of answers under the plain task, and what shares mean; exact, on a table model."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.errors import CallError, ChoiceError, TooLongError
from vsgen.flow import play, refusal
from vsgen.flows.valid import Rejection, Validated
from vsgen.flows.weigh import Weighed, bare, weigh
from vsgen.template.schema import Template
from vsgen.values import Answer, Call, Candidate, Distribution, Malformed, Message, Prompt, Score, Scores

TASK = Prompt((Message("user", "Name a fruit."),))
LOGP = {"apple": -1.0, "bean": -2.0, "corn": -4.0, "date": -8.0}


def template(**more: object) -> Template:
    return Template.model_validate({"version": 1, "name": "t", "prompt": "Name a fruit.", **more})


def known(call: Score) -> Scores:
    return Scores(tuple(LOGP[choice] for choice in call.choices))


def weighed(
    made: Template,
    *candidates: Candidate,
    refused: Sequence[int] = (),
    lost: float = 0.0,
    answer: Callable[[Score], Scores] = known,
    said: Prompt = TASK,
) -> tuple[Weighed, list[Score]]:
    """Weigh a draw; returns also the calls."""
    malformed = (Malformed("?", lost, "unreadable"),) if lost else ()
    checked = Validated(candidates, {i: Rejection("schema") for i in refused})
    flow = weigh(made, Distribution("verbalized", candidates, malformed), checked, TASK, said)
    asked: list[Score] = []

    def tried(call: Call) -> Answer:
        assert isinstance(call, Score)
        asked.append(call)
        try:
            return answer(call)
        except CallError as error:
            return refusal(error)

    return play(flow, lambda calls: [tried(call) for call in calls]), asked


def stated(text: str, weight: float) -> Candidate:
    return Candidate({"text": text}, weight, weight)


def test_without_the_key_nothing_is_asked_and_nothing_changes() -> None:
    given_ = (stated("apple", 0.5), stated("bean", 0.5))
    found, asked = weighed(template(), *given_)
    assert (list(found.candidates), found.rank, asked) == (list(given_), None, [])


def test_all_valid_answers_of_a_draw_are_scored_in_one_call_under_the_plain_task() -> None:
    texts = ("apple", "bean", "apple", "x" * 900, "corn")
    found, asked = weighed(template(logp=True), *(stated(text, 0.2) for text in texts), refused=[3])
    assert asked == [Score(TASK, ("apple", "bean", "corn"))]
    assert [one.logp for one in found.candidates] == [-1.0, -2.0, -1.0, None, -4.0]
    assert [one.weight for one in found.candidates] == [0.2] * 5


def test_several_fields_are_scored_as_the_object_that_direct_would_write() -> None:
    fields = {"type": "object", "properties": {"name": {"type": "string"}, "kcal": {"type": "integer"}}}
    made = template(logp=True, output={"schema": fields})
    one = Candidate({"kcal": 52, "name": "é"}, 1.0)
    _, (call,) = weighed(made, one, answer=lambda call: Scores((-1.0,)))
    assert call.choices == ('{"name": "é", "kcal": 52}',)
    assert json.loads(call.choices[0]) == one.fields


def test_a_reply_to_the_plain_task_is_not_paid_for_twice() -> None:
    made = template(logp=True, sampling={"method": "direct"})
    own = Candidate({"text": "apple"}, 0.25, logp=-9.0)
    cut, spelled = (Candidate({"text": "bean"}, 0.25, logp=-9.0, flags=(flag,)) for flag in ("truncated", "respelled"))
    found, asked = weighed(made, own, cut, spelled, Candidate({"text": "corn"}, 0.25))
    assert [call.choices for call in asked] == [("bean", "corn")]
    assert [one.logp for one in found.candidates] == [-9.0, -2.0, -2.0, -4.0]
    shown = Prompt((Message("user", "Name a tree."), Message("assistant", "oak"), *TASK.messages))
    assert [call.choices for call in weighed(made, own, said=shown)[1]] == [("apple",)]
    turns = template(logp=True, sampling={"method": "multi-turn"})
    found, _ = weighed(turns, own)
    assert found.candidates[0].logp == -1.0


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (TooLongError("9 of 5", tokens=9, context=5), "they are too long for the model"),
        (ChoiceError("no such token"), "the model's tokens cannot write them"),
        (CallError("no scores here"), "no scores here"),
    ],
)
def test_what_cannot_be_scored_is_null_with_a_note_and_the_others_are_scored(error: CallError, why: str) -> None:
    def answer(call: Score) -> Scores:
        if "bean" in call.choices:
            raise error
        return known(call)

    given_ = [stated(text, 0.25) for text in ("apple", "bean", "corn", "date")]
    found, asked = weighed(template(logp=True), *given_, answer=answer)
    assert [one.logp for one in found.candidates] == [-1.0, None, -4.0, -8.0]
    assert found.candidates[1].flags == ("unscored",)
    assert found.notes == (f"some answers have no logp (null in meta, and the flag unscored): {why}",)
    assert len(asked) == 5


def test_an_estimate_between_bounds_is_no_log_probability_of_an_answer() -> None:
    def listed(call: Score) -> Scores:
        exact = known(call)
        return Scores(exact.logp, 0, (exact.logp[0], -9.0), (exact.logp[0], -1.0))

    found, _ = weighed(template(logp=True), stated("apple", 0.5), stated("bean", 0.5), answer=listed)
    assert [one.logp for one in found.candidates] == [-1.0, None]
    assert [one.flags for one in found.candidates] == [(), ("unscored",)]
    (note,) = found.notes
    assert "the server states the most probable tokens alone" in note


def test_the_models_shares_are_a_softmax_over_the_scored_of_what_the_others_leave() -> None:
    given_ = [stated(text, weight) for text, weight in (("apple", 0.1), ("bean", 0.3), ("corn", 0.2), ("x", 0.15))]
    found, _ = weighed(template(weights="model"), *given_, refused=[3], lost=0.25)
    masses = [math.exp(LOGP[text]) for text in ("apple", "bean", "corn")]
    expected = [0.6 * mass / math.fsum(masses) for mass in masses]
    assert [one.weight for one in found.candidates] == pytest.approx([*expected, 0.15])


def test_a_text_that_is_there_twice_has_its_share_once() -> None:
    found, _ = weighed(template(weights="model"), stated("apple", 0.2), stated("bean", 0.3), stated("apple", 0.5))
    first, second, third = (one.weight for one in found.candidates)
    assert first == third and first + third == pytest.approx(1 / (1 + math.exp(-1)))
    assert first + second + third == pytest.approx(1)


@given(
    weights=st.sampled_from(["stated", "model", "uniform", None]),
    parts=st.lists(st.tuples(st.sampled_from(sorted(LOGP)), st.floats(0.01, 1), st.booleans()), min_size=1, max_size=6),
    lost=st.floats(0.01, 1),
)
def test_a_draw_sums_to_one_whatever_weights_mean(
    weights: str | None, parts: list[tuple[str, float, bool]], lost: float
) -> None:
    total = math.fsum(part for _, part, _ in parts) + lost
    given_ = [stated(text, part / total) for text, part, _ in parts]
    refused = [i for i, (_, _, out) in enumerate(parts) if out]
    found, _ = weighed(template(weights=weights), *given_, refused=refused, lost=lost / total)
    assert math.fsum(one.weight for one in found.candidates) + lost / total == pytest.approx(1)
    assert all(one.weight >= 0 for one in found.candidates)


def test_stated_probabilities_are_compared_in_rank_with_the_models_own() -> None:
    made = template(logp=True)
    same = [stated("apple", 0.5), stated("bean", 0.3), stated("corn", 0.2)]
    assert weighed(made, *same)[0].rank == pytest.approx(1)
    turned = [stated(text, p) for text, p in (("apple", 0.2), ("bean", 0.3), ("corn", 0.5))]
    assert weighed(made, *turned)[0].rank == pytest.approx(-1)
    assert weighed(made, *same[:2], stated("bean", 0.1))[0].rank is None
    assert weighed(made, *(stated(text, 0.3) for text in ("apple", "bean", "corn")))[0].rank is None


def test_what_opens_a_list_does_not_open_an_answer() -> None:
    opened = Prompt(TASK.messages, prefill="1. ")
    assert bare(template(), opened) == TASK
    assert bare(template(sampling={"method": "direct"}), opened) == opened
