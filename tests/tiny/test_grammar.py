"""The grammar's probabilities are exact, and every text can be read back."""

from __future__ import annotations

import math
from itertools import product
from random import Random

import pytest

from vsgen.tiny.grammar.closed import SETS
from vsgen.tiny.grammar.products import PRODUCTS
from vsgen.tiny.grammar.source import Source, draw, head_probs, read, source
from vsgen.tiny.grammar.tasks import Request, ask, by_topic, questions, requests, ticket_source
from vsgen.tiny.grammar.tickets import PRIOR

TOPICS = ("closed", "ticket", "review", "joke", "story")
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


@pytest.mark.parametrize("request_", [by_topic(topic)[-1] for topic in TOPICS], ids=TOPICS)
def test_probabilities_of_all_texts_sum_to_one(request_: Request) -> None:
    said = texts(request_.source)
    found = [read(request_.source, text) for text in said]
    assert len(set(said)) == len(said)
    assert math.fsum(one.p for one in found if one is not None) == pytest.approx(1, abs=1e-12)


def test_posterior_by_bayes_equals_brute_force() -> None:
    for of in (TWO_CLASSES, ticket_source("bike light", "angry")):
        for text in Random(0).sample(texts(of), 4):
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
    for request in requests():
        for _ in range(5):
            drawn = draw(request.source, rng)
            found = read(request.source, drawn.text)
            assert found is not None
            assert found.head == drawn.head
            assert found.p == pytest.approx(math.prod(choice.probs[choice.index] for choice in drawn.choices))
            assert found.posterior == pytest.approx(drawn.posterior)


def test_choices_of_every_draw_sum_to_one_and_hold_no_impossible_alternative() -> None:
    rng = Random(2)
    for request in requests():
        for choice in draw(request.source, rng, gamma=4.0).choices:
            assert math.fsum(choice.probs) == pytest.approx(1)
            assert min(choice.probs) > 0


def test_gamma_sharpens_a_closed_set_to_the_power_of_p() -> None:
    week = by_topic("closed")[0].source
    (choice,) = draw(week, Random(0), gamma=4.0).choices
    powers = [p**4 for p in head_probs(week)]
    assert choice.probs == pytest.approx([power / sum(powers) for power in powers])
    assert dict(zip(choice.texts, choice.probs, strict=True))["Wednesday"] == pytest.approx(0.82, abs=0.01)


def test_draws_keep_to_the_heads_that_are_left() -> None:
    week, rng = by_topic("closed")[0].source, Random(0)
    assert {draw(week, rng, heads=[2, 5]).head for _ in range(50)} == {2, 5}


def test_no_text_can_come_from_two_tones() -> None:
    drawn = draw(ticket_source("desk lamp", "angry"), Random(0)).text
    assert [tone for tone in PRIOR if read(ticket_source("desk lamp", tone), drawn) is not None] == ["angry"]


def test_every_open_request_has_hundreds_of_texts_and_eight_heads() -> None:
    for request in requests():
        if request.topic != "closed":
            possible = [text for text in texts(request.source) if read(request.source, text) is not None]
            assert len(possible) >= 250, request.keys
            assert sum(p > 0 for p in head_probs(request.source)) >= 8, request.keys


def test_closed_sets_are_given_in_per_cent() -> None:
    assert all(math.fsum(items.values()) == pytest.approx(100) for items in SETS.values())


def test_some_texts_to_classify_are_clear_and_some_are_between_classes() -> None:
    rng = Random(4)
    for question in questions():
        tops = [max(ask(question, rng)[1]) for _ in range(300)]
        assert sum(top > 0.95 for top in tops) > 60
        assert sum(top < 0.75 for top in tops) > 30


def test_all_products_are_asked_about() -> None:
    assert {request.keys["product"] for request in by_topic("ticket")} == set(PRODUCTS)
