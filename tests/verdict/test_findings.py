"""What is found in a run: each finding comes where it is true, and only there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.verdict.drawing import outcome, record, reject, template
from vsgen.flows.draw import Outcome
from vsgen.sampling.reply_stats import ReplyStats
from vsgen.template.schema import Template
from vsgen.values import Reason
from vsgen.verdict.finding import Finding, Verdict
from vsgen.verdict.findings import assess
from vsgen.verdict.observed import Observed
from vsgen.verdict.setup import Setup

FAIR = (0.3, 0.25, 0.2)
DAYS = [record(day, mass=0.97) for day in ("Monday", "Tuesday", "Friday")]


def verdict(draws: Sequence[Outcome], asked: Template | None = None, **more: Any) -> Verdict:
    asked = asked or template()
    observed = Observed.of(asked)
    for one in draws:
        observed.add(one)
    return assess(observed, Setup(asked, **more))


def good(stated: tuple[float, ...] = FAIR) -> Outcome:
    return outcome(DAYS, replies=[ReplyStats(3, stated)])


def only(draws: Sequence[Outcome], asked: Template | None = None) -> Finding:
    (finding,) = verdict(draws, asked).findings
    return finding


def uneven(i: int) -> tuple[float, ...]:
    return (0.3 + i / 100, 0.2, 0.1)


def test_a_good_run_is_one_line_with_its_figures() -> None:
    (line,) = verdict([good(uneven(i)) for i in range(20)]).lines()
    assert line.startswith("verdict: good: 100% of 20 replies can be read, stated probabilities sum to 0.7")
    assert "label mood: mass 0.97" in line
    assert "100% of 60 candidates kept" in line


def test_a_run_without_draws_is_not_bad() -> None:
    assert verdict([]).lines() == ["verdict: none: no figure judges this output"]


def test_every_finding_is_one_line_with_what_to_try() -> None:
    said = verdict([outcome(DAYS, replies=[ReplyStats(3, (0.9, 0.8, 0.7))])] * 6).lines()
    assert said[0] == "verdict: bad: 2 findings"
    assert all("\n" not in line and "->" in line for line in said[1:])


@pytest.mark.parametrize(("lost", "level"), [(0, None), (2, "note"), (8, "bad")])
def test_replies_that_cannot_be_read(lost: int, level: str | None) -> None:
    draws = [outcome([], [reject("malformed")], [ReplyStats(0)])] * lost + [outcome(DAYS)] * (20 - lost)
    assert [one.level for one in verdict(draws).findings if one.name == "unread"] == ([level] if level else [])


def test_the_remedy_starts_from_the_settings_that_were_used() -> None:
    draws = [outcome([], [reject("malformed")], [ReplyStats(0)])] * 6
    settings: dict[str, object] = {}
    remedies = []
    for change in ({}, {"temperature": 0.7}, {"min_p": 0.1}, {"format": "lines"}):
        settings |= change
        remedies.append(verdict(draws, template(sampling=settings), shows=True).findings[0].remedy)
    wanted = ["--temperature 0.7", "--set sampling.min_p=0.1", "--set sampling.format=lines", "a larger model (-m)"]
    assert remedies == wanted
    bare = template(sampling={"temperature": 0.7})
    assert verdict(draws, bare).findings[0].remedy == "--set sampling.demonstrate=1"


def test_replies_cut_at_the_limit_name_a_longer_one() -> None:
    finding = only([outcome(DAYS, replies=[ReplyStats(3, cut=True)])] * 5, template(sampling={"max_tokens": 64}))
    assert (finding.name, finding.level) == ("cut", "bad")
    assert "max_tokens 64" in finding.text
    assert finding.remedy == "--set sampling.max_tokens=128"


def test_a_text_that_goes_on_is_not_cut_and_one_that_could_end_but_does_not_is_worth_a_note() -> None:
    """With chat: false, replies are as long as max_tokens, unless a stop or a form could end them."""
    cut = [outcome(DAYS, replies=[ReplyStats(3, cut=True)])] * 5
    how = {"method": "direct", "max_tokens": 64}
    assert not verdict(cut, template(chat=False, sampling=how)).findings
    finding = only(cut, template(chat=False, sampling={**how, "stop": ["."]}))
    assert (finding.name, finding.level) == ("cut", "note")
    assert verdict(cut, template(chat=False, sampling=how, choices=["Monday", "Friday"])).findings


def test_a_reply_with_room_enough_for_all_answers_is_no_matter_of_room() -> None:
    cut = [outcome(DAYS, replies=[ReplyStats(3, cut=True)])] * 5
    brief, long = template(output={"max_chars": 40}), template(output={"max_chars": 4000})
    assert only(cut, brief).remedy == "--temperature 0.7"
    assert only(cut, long).remedy == "--set sampling.max_tokens=2048"


def test_free_decoding_is_the_first_thing_to_change() -> None:
    draws = [outcome([], [reject("malformed")], [ReplyStats(0)])] * 6
    assert verdict(draws, template(sampling={"constrain": False})).findings[0].remedy == "--set sampling.constrain=true"


def test_candidates_that_are_too_long_are_told_apart_from_other_misfits() -> None:
    asked = template(output={"max_chars": 10})
    one = outcome([record("x" * 10), record("x")], [reject("schema", "x" * 14), *[reject("schema", "")] * 2])
    found = {each.name: each for each in verdict([one] * 8, asked).findings}
    assert found["length"].text == "20% of 40 candidates are longer than the 10 characters allowed"
    assert "max_chars=20" in found["length"].remedy
    assert found["misfit"].text.startswith("40% of 40")


def test_the_limits_of_a_schema_are_those_of_its_fields() -> None:
    fields = {"a": {"type": "string", "maxLength": 3}, "b": {"type": "string"}, "c": {"type": "integer"}}
    observed = Observed.of(template(output={"schema": {"type": "object", "properties": fields}}))
    assert observed.limits == {"a": 3}


@pytest.mark.parametrize(
    ("reason", "name"), [("placeholder", "placeholder"), ("schema", "misfit"), ("refused", "misfit")]
)
def test_candidates_that_are_no_answers(reason: Reason, name: str) -> None:
    draws = [outcome([record()], [reject(reason), reject(reason)])] * 6
    found = {one.name: one.level for one in verdict(draws).findings}
    assert found.pop(name) == "bad"
    assert not found


def test_sums_above_one_are_told_with_median_and_range() -> None:
    draws = [good((0.3 + i / 10, 0.5, 0.6)) for i in range(10)]
    finding = only(draws)
    assert (finding.name, finding.level) == ("sums", "bad")
    assert "100% of 10 replies" in finding.text
    assert "median 1.85, 1.40 to 2.30" in finding.text


def test_sums_below_one_are_right_because_a_few_answers_are_only_a_part() -> None:
    assert not verdict([good((0.01 + i / 1000, 0.002, 0.001)) for i in range(20)]).findings


def test_a_single_sum_above_one_among_many_is_borne() -> None:
    assert not verdict([good((0.9, 0.9, 0.8)), *[good(uneven(i)) for i in range(30)]]).findings


def test_the_same_unequal_list_again_and_again_is_recited() -> None:
    finding = only([good((0.12, 0.05, 0.03))] * 6 + [good(uneven(i)) for i in range(4)])
    assert (finding.name, finding.level) == ("recited", "bad")
    assert "60% of 10 lists" in finding.text
    assert "0.12, 0.05, 0.03" in finding.text


def test_the_same_first_probability_is_a_note_and_only_over_enough_lists() -> None:
    copied = [good((0.12, 0.01 + i / 100, 0.03)) for i in range(12)]
    finding = only(copied)
    assert (finding.name, finding.level) == ("recited", "note")
    assert "0.12" in finding.text
    assert not verdict(copied[:5]).findings


def test_equal_probabilities_are_a_note() -> None:
    finding = only([good((0.2, 0.2, 0.2))] * 9)
    assert (finding.name, finding.level) == ("uniform", "note")


@pytest.mark.parametrize(("mass", "level"), [(4e-5, "bad"), (0.3, "note"), (0.9, None)])
def test_labels_whose_question_is_not_answered(mass: float, level: str | None) -> None:
    found = verdict([outcome([record(mass=mass)] * 5)] * 4).findings
    assert [one.level for one in found] == ([level] if level else [])
    assert not found or (f"{mass:.2g}" in found[0].text and "label mood" in found[0].text)


def test_low_acceptance_names_the_clause_that_refused_most() -> None:
    one = outcome([record()], [reject("keep", clause="correct")] * 7 + [reject("keep", clause="a > b")] * 2)
    finding = only([one] * 5)
    assert (finding.name, finding.level) == ("kept", "note")
    assert "10% of 50 candidates" in finding.text
    assert "`correct` rejected 35" in finding.text


def test_a_run_that_keeps_nothing_is_bad() -> None:
    finding = only([outcome([], [reject("keep", clause="never")] * 5)] * 5)
    assert (finding.name, finding.level) == ("kept", "bad")


def test_a_draw_that_is_tried_and_keeps_nothing_is_bad_and_refers_to_its_rejects() -> None:
    nothing = [outcome([], [reject("keep", clause="never")])]
    assert not verdict(nothing).findings
    (finding,) = verdict(nothing, tried=True).findings
    assert (finding.name, finding.level, finding.remedy) == ("kept", "bad", "see the rejects above")


def test_a_text_that_is_continued_is_not_remedied_by_its_temperature() -> None:
    echoed = [outcome([], [reject("placeholder")] * 5)] * 5
    found = verdict(echoed, template(chat=False, sampling={"method": "direct"})).findings
    (finding,) = [one for one in found if one.name == "placeholder"]
    assert finding.remedy == "a prompt that begins the text, or a larger model (-m)"


def test_replies_of_power_sampling_are_those_that_were_picked() -> None:
    figures = verdict([good()] * 20, template(sampling={"method": "power"})).figures
    assert figures[0] == "100% of 20 picked replies can be read"


def test_what_came_when_enough_was_kept_does_not_count() -> None:
    assert not verdict([outcome(DAYS), outcome([], [reject("surplus")] * 40)]).findings


def test_repeats_are_a_note_that_names_another_method() -> None:
    draws = [outcome([record()], [reject("duplicate")] * 9)] * 5
    finding = only(draws, template(sampling={"method": "direct"}))
    assert (finding.name, finding.level) == ("repeats", "note")
    assert finding.remedy == "--method vs"


def test_for_repeats_of_a_small_model_variables_come_before_lists() -> None:
    draws = [outcome([record()], [reject("duplicate")] * 9)] * 5
    (finding,) = verdict(draws, template(sampling={"method": "direct"}), small=True).findings
    assert finding.remedy.startswith("more values in `variables:`")


def test_repeats_of_a_closed_set_that_is_whole_are_no_finding() -> None:
    draws = [outcome([record()] * 2), *[outcome([], [reject("duplicate")] * 5)] * 5]
    assert not verdict(draws, template(choices=["Monday", "Tuesday"])).findings


def test_bad_findings_stand_first() -> None:
    both = [outcome([record(mass=0.001)], [reject("duplicate")] * 9)] * 5
    lines = verdict(both).lines()
    assert lines[0] == "verdict: bad: 1 finding, 1 note"
    assert [re.match(r"  (\w+):", line)[1] for line in lines[1:]] == ["bad", "note"]  # type: ignore[index]


@pytest.mark.parametrize("weights", ["model", "uniform"])
def test_stated_probabilities_do_not_matter_where_weights_do_not_rest_on_them(weights: str) -> None:
    draws = [good((0.9, 0.8, 0.7))] * 9
    assert verdict(draws).bad
    assert not verdict(draws, template(weights=weights)).findings
    cool = template(sampling={"temperature": 0.7})
    assert verdict(draws, cool).findings[0].remedy == "--set weights=model, or uniform"
    assert verdict(draws).findings[0].remedy.startswith("--temperature 0.7; ")


def test_stated_probabilities_that_do_not_follow_the_models_own_are_a_note() -> None:
    draws = [replace(good(uneven(i)), rank=0.1) for i in range(9)]
    finding = only(draws)
    assert (finding.name, finding.level) == ("ranks", "note")
    assert "rank correlation of 0.10 (9 draws)" in finding.text
    assert not verdict([replace(one, rank=0.8) for one in draws]).findings


def test_a_template_that_says_that_a_model_is_too_small_is_taken_at_its_word() -> None:
    found = verdict([good()], unsuited="small models are not suited to this template: sums are too hard")
    assert found.bad
    assert "sums are too hard" in found.lines()[1]


def test_settings_that_were_recommended_are_named() -> None:
    asked = template()
    asked._fitted = "small"
    assert "settings recommended for small models" in verdict([good()], asked).lines()[0]
