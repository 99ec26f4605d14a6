"""What is a valid answer, and what is odd about one."""

from __future__ import annotations

import pytest

from vsgen.flows.valid import Rules, Validated, misfit, validate
from vsgen.template.schema import Template
from vsgen.values import Candidate


def template(**more: object) -> Template:
    return Template.model_validate({"version": 1, "name": "t", "prompt": "Name a day.", **more})


def checked(made: Template, *candidates: Candidate) -> Validated:
    flow = validate(Rules(made), candidates, [f"t/{i}" for i in range(len(candidates))])
    with pytest.raises(StopIteration) as stop:
        next(flow)
    found: Validated = stop.value.value
    return found


def test_a_choice_in_another_case_becomes_the_choice_and_another_answer_is_refused() -> None:
    made = template(choices=["Monday", "Sunday"])
    found = checked(made, Candidate({"text": " monday"}, 0.5), Candidate({"text": "ButterCream"}, 0.5))
    assert found.candidates[0] == Candidate({"text": "Monday"}, 0.5, flags=("respelled",))
    assert [(i, one.reason) for i, one in found.rejections.items()] == [(1, "schema")]
    assert "'ButterCream' is not one of ['Monday', 'Sunday']" in found.rejections[1].detail


def test_a_stated_probability_of_zero_is_flagged_and_refused_only_where_there_is_a_least_one() -> None:
    zero = Candidate({"text": "Monday"}, 0.0, 0.0)
    kept = checked(template(), zero)
    assert kept.candidates[0].flags == ("zero-probability",) and not kept.rejections
    strict = template(sampling={"method": "vs", "p_min": 0.001})
    refusal = checked(strict, zero).rejections[0]
    assert refusal.reason == "filter" and "stated probability 0 is below p_min 0.001" in refusal.detail
    assert checked(template(), Candidate({"text": "x"}, 1.0)).candidates[0].flags == ()


def test_the_first_test_that_refuses_gives_the_reason() -> None:
    made = template(output={"max_chars": 4}, filter={"text": {"reject": "x"}})
    both = misfit(Rules(made), Candidate({"text": "xxxxxx"}, 1.0))
    assert both is not None and (both.reason, both.detail) == ("schema", "text: 6 characters, at most 4")
    assert misfit(Rules(made), Candidate({"text": "abc"}, 1.0)) is None


def test_a_reasoning_that_fills_its_limit_is_flagged() -> None:
    short, long = (Candidate({"text": "a day"}, 0.5, reasoning="x" * length) for length in (1999, 2000))
    assert [one.flags for one in checked(template(), short, long).candidates] == [(), ("reasoning-cut",)]
