"""The evaluation counts what it says, and a missed gate is an exit status."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path

import pytest

from vsgen.tiny import evaluate
from vsgen.tiny.asks import Result
from vsgen.tiny.evaluate import report
from vsgen.tiny.gates import asks, form
from vsgen.tiny.grammar.source import head_probs
from vsgen.tiny.grammar.sums import GUESSES, HASTY, SLIPS, SURE, Sum
from vsgen.tiny.grammar.tasks import TOPICS, by_topic
from vsgen.tiny.measure import HELD, Asked, Figure, agreement, answers, on_topic, right, topical, truth

WEEK = by_topic("closed")[0]
REPLY = '{"responses": [{"text": "Friday", "probability": 0.17}, {"text": "Sunday", "probability": 0.14}]}'
FRIDAY_SUNDAY = (("Friday", 0.17), ("Sunday", 0.14))


@pytest.mark.parametrize("reply", ["", "Friday", "[1]", '{"responses": 3}', '{"responses": ["a"]}', REPLY[:-1]])
def test_unreadable_replies_are_none(reply: str) -> None:
    assert answers(reply) is None


def test_answers_are_read_with_their_probabilities_from_an_object_or_a_bare_list() -> None:
    assert answers(REPLY, stating=True) == FRIDAY_SUNDAY
    assert answers(REPLY.removeprefix('{"responses": ').removesuffix("}"), stating=True) == FRIDAY_SUNDAY
    assert answers(REPLY.replace("text", "item"), "item", stating=True) == FRIDAY_SUNDAY


def test_numbered_lines_are_read_strictly() -> None:
    assert answers("1. Friday (0.17)\n2. Sunday (0.14)", stating=True) == FRIDAY_SUNDAY
    assert answers("1. Friday\n2. Sunday") == (("Friday", 0.0), ("Sunday", 0.0))
    for text in ("1. Friday (0.17)\n3. Sunday (0.14)", "1. Friday (0.17)\n", "1. Friday (0.17)\n2. Sunday"):
        assert answers(text, stating=True) is None


@pytest.mark.parametrize("said", ['"0.3"', "0", "1.5", "NaN", "true", "null"])
def test_a_verbalized_reply_states_a_probability_with_every_answer(said: str) -> None:
    reply = f'[{{"text": "Friday", "probability": {said}}}]'
    assert answers(reply, stating=True) is None
    assert answers('[{"text": "Friday"}]', stating=True) is None
    assert answers('[{"text": "Friday"}]') == (("Friday", 0.0),)
    assert answers('[{"text": 5}]') is None


def test_every_topic_is_asked_in_both_held_out_splits() -> None:
    asked = {(ask.request.topic, HELD[i % 2]) for i, ask in enumerate(asks(24))}
    assert asked == set(product(TOPICS, HELD))


def test_an_unreadable_reply_counts_as_answers_off_topic() -> None:
    calls = [Asked(WEEK, 2, (), FRIDAY_SUNDAY), Asked(WEEK, 3, (), None), Asked(WEEK, 1, (), (("Paris", 0.2),))]
    assert topical(calls) == [True, True, False, False, False, False]


def test_form_counts_unreadable_replies_as_failures_in_everything() -> None:
    calls = [
        Asked(WEEK, 2, (), FRIDAY_SUNDAY),
        Asked(WEEK, 3, (), FRIDAY_SUNDAY),
        Asked(WEEK, 2, ("Sunday",), FRIDAY_SUNDAY),
        Asked(WEEK, 2, (), None),
    ]
    figures = list(form("x", calls, parses=0.5, counts=0.9))
    assert [figure.value for figure in figures] == [0.75, 0.5, 0.5]
    assert [figure.held for figure in figures] == [True, False, False]


def test_agreement_compares_stated_with_true_probabilities() -> None:
    true = dict(zip(WEEK.source.heads.texts, head_probs(WEEK.source), strict=True))
    said = (("Friday", true["Friday"]), ("Sunday", 2 * true["Sunday"]), ("Paris", 0.2))
    correlation, off, n = agreement([Asked(WEEK, 3, (), said)])
    assert n == 2
    assert correlation == pytest.approx(1)
    assert off == pytest.approx(math.log(2) / 2)


def test_on_topic_asks_for_the_thing_that_was_named() -> None:
    joke, quiz = by_topic("joke")[0], by_topic("quiz")[0]
    assert on_topic(joke, "My cat found work.")
    assert not on_topic(joke, "My dog found work.")
    options = "What is the capital of France? A) Tokyo B) Paris C) Oslo D) Vienna Answer: "
    assert on_topic(quiz, f"{options}B")
    assert not on_topic(quiz, f"{options}C")


def test_a_sum_is_right_when_its_last_number_is() -> None:
    ask = Result(Sum(7, (("add", 5),)), engineered=False)
    assert right(ask, "7 + 5 = 12. The answer is 12.")
    assert not right(ask, "7 + 5 = 12. The answer is 13.")
    assert not right(ask, "7 + 5 = 12.")


def test_the_truth_of_an_engineered_sum_is_its_odds_and_power_prefers_the_worked_answer() -> None:
    ask = Result(Sum(71, (("add", 5), ("subtract", 9))), engineered=True)
    hits, guesses = truth(ask)
    assert guesses == pytest.approx(HASTY)
    # two slips of a worked reply can cancel: of the slips, each has its opposite
    assert hits == pytest.approx(HASTY * GUESSES["right"] + (1 - HASTY) * (SURE**2 + (1 - SURE) ** 2 / len(SLIPS)))
    assert truth(ask, 4.0)[0] > hits
    assert truth(ask, 4.0)[1] < guesses


def test_report_prints_gates_with_their_verdict_and_says_whether_all_hold(capsys: pytest.CaptureFixture[str]) -> None:
    figures = [Figure("a", 0.5, 10, 0.4, 0.6), Figure("b", 0.5, 10), Figure("c", math.nan, 10, 0.1)]
    assert report(figures[:2])
    assert not report(figures)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("ok")
    assert "verdict" not in lines[1] and lines[1].endswith("n=10")
    assert lines[-1].endswith("MISSED")


@pytest.mark.parametrize(("value", "status"), [(0.5, 0), (0.3, 1)])
def test_a_missed_gate_is_exit_status_1(monkeypatch: pytest.MonkeyPatch, value: float, status: int) -> None:
    monkeypatch.setattr(evaluate, "gates", lambda folder, n: [Figure(f"{folder} {n}", value, n, 0.4)])
    assert evaluate.main(["--weights", str(Path("x")), "-n", "3", "--gates"]) == status
