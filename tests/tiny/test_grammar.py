"""The grammar's probabilities are exact, and every text can be read back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from random import Random

import pytest

from vsgen.tiny.chat import classified
from vsgen.tiny.grammar.closed import SETS
from vsgen.tiny.grammar.products import PRODUCTS
from vsgen.tiny.grammar.quizzes import SUBJECTS
from vsgen.tiny.grammar.script import Script, follow, perform
from vsgen.tiny.grammar.source import Source, Written, head_probs, read, source, write
from vsgen.tiny.grammar.tasks import TOPICS, Request, by_topic, questions, quiz_source, requests, ticket_source
from vsgen.tiny.grammar.tickets import PRIOR

WEEK = by_topic("closed")[0].source
TWO_CLASSES = source(
    {"The cup {how}": (3, 1), "A cup {how}": (1, 1)},
    {"how": {"broke.": (9, 1), "held.": (1, 9)}},
    prior=(0.25, 0.75),
)


def texts(of: Source) -> list[str]:
    """Every text of a source, in order of its choices."""
    return [
        opening + "".join(parts)
        for opening, tables in zip(of.heads.texts, of.rest, strict=True)
        for parts in product(*(table.texts for table in tables))
    ]


def brute_force(of: Source, text: str) -> list[float]:
    """P(text and class) by going through all derivations."""
    joint = [0.0] * len(of.prior)
    for head, tables in enumerate(of.rest):
        for rows in product(*(range(len(table.texts)) for table in tables)):
            said = of.heads.texts[head] + "".join(t.texts[row] for t, row in zip(tables, rows, strict=True))
            if said == text:
                for c, prior in enumerate(of.prior):
                    tails = math.prod(t.given[row][c] for t, row in zip(tables, rows, strict=True))
                    joint[c] += prior * of.heads.given[head][c] * tails
    return joint


def outcomes(make: Callable[[], Script[Written]], taken: tuple[int, ...] = ()) -> Iterator[tuple[str, float]]:
    """Every text that a script writes, and its probability."""
    choice = follow(make(), taken)
    if choice is None:
        yield "", 1.0
        return
    for i, (text, prob) in enumerate(zip(choice.texts, choice.probs, strict=True)):
        for rest, p in outcomes(make, (*taken, i)):
            yield text + rest, prob * p


def drawn(of: Source, rng: Random) -> tuple[str, float, Written]:
    """A text, the probability of its choices, and what was written."""
    steps, written = perform(write(of), rng)
    p = math.prod(step.choice.probs[step.index] for step in steps)
    return "".join(step.text for step in steps), p, written


def all_sources() -> list[Source]:
    """The sources of all answers and of all texts to classify."""
    return [request.source for request in requests()] + [of for question in questions() for of in question.sources]


@pytest.mark.parametrize("request_", [by_topic(topic)[-1] for topic in TOPICS], ids=TOPICS)
def test_probabilities_of_all_texts_sum_to_one(request_: Request) -> None:
    said = texts(request_.source)
    found = [read(request_.source, text) for text in said]
    assert len(set(said)) == len(said)
    assert math.fsum(one.p for one in found if one is not None) == pytest.approx(1, abs=1e-12)


def test_posterior_by_bayes_equals_brute_force() -> None:
    quiz = quiz_source("opposites", keyed=False)
    for of, n in ((TWO_CLASSES, 4), (ticket_source("bike light", "angry"), 20), (quiz, 60)):
        for text in Random(0).sample(texts(of), n):
            joint, found = brute_force(of, text), read(of, text)
            if sum(joint) == 0:
                assert found is None
                continue
            assert found is not None
            assert found.p == pytest.approx(sum(joint), rel=1e-12)
            assert found.posterior == pytest.approx([j / sum(joint) for j in joint], rel=1e-12)


def test_posterior_of_a_worked_example() -> None:
    found = read(TWO_CLASSES, "The cup broke.")
    assert found is not None
    assert found.p == pytest.approx(0.25 * 0.75 * 0.9 + 0.75 * 0.5 * 0.1)
    assert found.posterior[0] == pytest.approx(0.16875 / 0.20625)


def test_every_drawn_text_reads_back_with_the_probability_of_its_choices() -> None:
    rng = Random(1)
    for of in all_sources():
        for _ in range(8):
            text, p, written = drawn(of, rng)
            found = read(of, text)
            assert found is not None
            assert found.head == written.head
            assert found.p == pytest.approx(p, rel=1e-9)
            assert found.posterior == pytest.approx(written.posterior)


@pytest.mark.parametrize(
    "of",
    [TWO_CLASSES, WEEK, ticket_source("smart watch", "polite"), quiz_source("opposites", keyed=True)],
    ids=["two classes", "closed", "ticket", "quiz"],
)
def test_a_source_writes_exactly_the_texts_that_it_reads_with_their_probabilities(of: Source) -> None:
    found = list(outcomes(lambda: write(of)))
    readable = {text: one.p for text in texts(of) if (one := read(of, text)) is not None}
    assert len(found) == len(readable)
    assert dict(found) == pytest.approx(readable, rel=1e-9)


def test_no_text_but_its_own_is_read() -> None:
    of = ticket_source("desk lamp", "polite")
    text, _, _ = drawn(of, Random(0))
    for other in ("", text[:-1], text + " ", text + text, text.replace("desk lamp", "bike light")):
        assert read(of, other) is None


def test_choices_of_every_draw_sum_to_one_and_hold_no_impossible_alternative() -> None:
    rng = Random(2)
    for of in all_sources():
        for gamma in (1.0, 4.0):
            for step in perform(write(of, gamma=gamma), rng)[0]:
                assert math.fsum(step.choice.probs) == pytest.approx(1)
                assert min(step.choice.probs) > 0
                assert len(set(step.choice.texts)) == len(step.choice.texts)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("request_", by_topic("closed"), ids=lambda request: request.keys["thing"])
def test_gamma_sharpens_a_closed_set_to_the_power_of_p(request_: Request, gamma: float) -> None:
    powers = [p**gamma for p in head_probs(request_.source)]
    expected = dict(zip(request_.source.heads.texts, [power / sum(powers) for power in powers], strict=True))
    assert dict(outcomes(lambda: write(request_.source, gamma=gamma))) == pytest.approx(expected, rel=1e-9)


def test_gamma_of_four_makes_the_likeliest_day_most_of_the_answers() -> None:
    assert dict(outcomes(lambda: write(WEEK, gamma=4.0)))["Wednesday"] == pytest.approx(0.82, abs=0.01)


def test_draws_keep_to_the_heads_that_are_left_in_proportion() -> None:
    p = head_probs(WEEK)
    expected = {WEEK.heads.texts[i]: p[i] / (p[2] + p[5]) for i in (2, 5)}
    assert dict(outcomes(lambda: write(WEEK, heads={5, 2}))) == pytest.approx(expected)
    assert perform(write(WEEK, heads=[5]), Random(0))[1].head == 5


def test_a_lead_precedes_the_text_and_changes_no_probability() -> None:
    expected = {f" {text}": p for text, p in outcomes(lambda: write(TWO_CLASSES))}
    assert dict(outcomes(lambda: write(TWO_CLASSES, lead=" "))) == expected


def test_no_text_can_come_from_two_sources_of_a_question() -> None:
    rng = Random(3)
    for question in questions():
        for of in question.sources:
            text, _, _ = drawn(of, rng)
            assert [other for other in question.sources if read(other, text) is not None] == [of]


def test_every_open_request_has_hundreds_of_texts_and_eight_heads() -> None:
    for request in requests():
        if request.topic != "closed":
            possible = [text for text in texts(request.source) if read(request.source, text) is not None]
            assert len(possible) >= 250, request.keys
            assert sum(p > 0 for p in head_probs(request.source)) >= 8, request.keys


def test_closed_sets_are_given_in_per_cent() -> None:
    assert all(math.fsum(items.values()) == pytest.approx(100) for items in SETS.values())


@pytest.mark.parametrize("name", ["ticket", "review"])
def test_some_texts_to_classify_are_clear_and_some_are_between_classes(name: str) -> None:
    (question,) = (one for one in questions() if one.topic == name)
    rng = Random(4)
    tops = [max(classified(question, rng).posterior) for _ in range(300)]
    assert sum(top > 0.95 for top in tops) > 60
    assert sum(top < 0.75 for top in tops) > 30


def test_a_class_is_as_frequent_as_its_prior_says_on_average_over_all_texts() -> None:
    for question in questions():
        for of in (question.sources[0], question.sources[-1]):
            found = [one for text in texts(of) if (one := read(of, text)) is not None]
            shares = [
                math.fsum(one.p * question.reading(of, one.posterior)[c] for one in found) for c in range(len(of.prior))
            ]
            assert shares == pytest.approx(of.prior, abs=1e-12)


def test_every_topic_product_tone_and_subject_can_be_asked_for_once() -> None:
    assert {request.topic for request in requests()} == set(TOPICS)
    asked = [(request.keys["product"], request.keys["tone"]) for request in by_topic("ticket")]
    assert sorted(asked) == sorted(product(PRODUCTS, PRIOR))
    assert [request.keys["subject"] for request in by_topic("quiz")] == list(SUBJECTS)
