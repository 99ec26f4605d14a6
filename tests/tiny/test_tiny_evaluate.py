"""The evaluation counts what it says."""

from __future__ import annotations

import pytest

from vsgen.tiny.evaluate import Asked, answers, content, form, on_topic, shipped
from vsgen.tiny.grammar.tasks import by_topic

WEEK = by_topic("closed")[0]
REPLY = '{"responses": [{"text": "Friday", "probability": 0.17}, {"text": "Sunday", "probability": 0.14}]}'
FRIDAY_SUNDAY = (("Friday", 0.17), ("Sunday", 0.14))


@pytest.mark.parametrize("reply", ["", "Friday", "[1]", '{"responses": 3}', '{"responses": ["a"]}', REPLY[:-1]])
def test_unreadable_replies_are_none(reply: str) -> None:
    assert answers(reply) is None


def test_answers_are_read_with_their_probabilities() -> None:
    assert answers(REPLY) == FRIDAY_SUNDAY


def test_form_counts_replies_lengths_and_repeats_over_turns() -> None:
    calls = [
        Asked(WEEK, 2, (), FRIDAY_SUNDAY),
        Asked(WEEK, 3, (), FRIDAY_SUNDAY),
        Asked(WEEK, 2, ("Sunday",), FRIDAY_SUNDAY),
        Asked(WEEK, 2, (), None),
    ]
    figures = list(form("x", calls))
    assert [figure.value for figure in figures] == pytest.approx([0.75, 2 / 3, 2 / 3])
    assert [figure.n for figure in figures] == [4, 3, 3]


def test_content_compares_stated_with_true_probabilities() -> None:
    stray = Asked(WEEK, 3, (), (*FRIDAY_SUNDAY, ("Paris", 0.2)))
    figures = list(content("x", [stray]))
    assert [figure.value for figure in figures] == pytest.approx([2 / 3, 2 / 3, 1.0, 0.3466], abs=1e-4)
    assert [figure.n for figure in figures] == [3, 3, 2, 2]


def test_on_topic_asks_for_the_thing_that_was_named() -> None:
    joke = by_topic("joke")[0]
    assert on_topic(joke, "My cat found work.")
    assert not on_topic(joke, "My dog found work.")


def test_shipped_keeps_the_templates_wording() -> None:
    assert list(shipped(WEEK).wordings) == ["Name a random day of the week."]
