"""Labels that flip when the classes are listed in another order: what is asked, and what models of known bias show."""

from __future__ import annotations

from typing import Any

import pytest

from tests.labels.asking import Scripted, said, section, told
from vsgen.flows.label import Labeller, Text
from vsgen.labels.flips import Again, asked_again, flips, has_order
from vsgen.labels.orders import orders
from vsgen.labels.question import Question
from vsgen.labels.soft import label_of, multi_label
from vsgen.template.load import template_of

CLASSES = ("a", "b", "c")


def biased(first: float, content: tuple[float, ...] = (1.0, 1.0, 1.0)) -> Scripted:
    """A model that likes what is listed first so many times more than the rest."""

    def scores(prompt: str, choice: str) -> float:
        listed = prompt.rpartition("exactly one of these: ")[2].rstrip(".").split(", ")
        own = dict(zip(CLASSES, content, strict=True)).get(choice, 1.0)
        return 0.01 * own * (first if listed[0] == choice else 1.0)

    return Scripted(scores=scores)


def flipped(model: Scripted, **how: Any) -> Any:
    label = {"name": "mood", "classes": list(CLASSES), "prompt": "Which? {{ text }}", **how}
    made = template_of({"version": 1, "name": "t", "prompt": "-", "labels": [label]}, "t.yaml")
    labeller, text = Labeller(made, ("text",), seed=1), Text("in:1", "in:1", {"text": "It leaks."})
    (labels,) = told(labeller.label([text]), model)
    del model.scored[:]
    return told(labeller.flips(text, labels), model)["mood"]


def test_a_model_that_looks_at_the_text_alone_never_flips() -> None:
    assert flipped(biased(1.0, (0.2, 0.5, 0.3))) == ((False,), (False,))


def test_a_model_that_takes_what_is_first_flips_with_one_order_and_no_text_is_needed_to_see_it() -> None:
    assert flipped(biased(9.0)).one == (True,)


def test_a_weak_preference_for_a_place_is_averaged_out_by_two_orders() -> None:
    """c is the likeliest, but where a or b is listed first; their places change, so that the mean of two is c."""
    assert flipped(biased(1.9, (1.0, 1.0, 1.7))) == ((True,), (False,))
    assert flipped(biased(1.6, (1.0, 1.0, 1.7))) == ((False,), (False,))


def test_the_reverse_of_each_order_is_asked_once_and_the_label_s_own_way_not_again() -> None:
    model = biased(2.0)
    flipped(model)
    first, second = orders(CLASSES, 2)
    assert sorted(call.choices for call in model.scored) == sorted(
        [CLASSES[::-1], first, second, first[::-1], second[::-1]]
    )
    model = biased(2.0)
    flipped(model, permutations=2)
    assert sorted(call.choices for call in model.scored) == sorted([CLASSES, CLASSES[::-1], first[::-1], second[::-1]])


@pytest.mark.parametrize("method", ["reasoning", "votes", "verbalized"])
def test_every_method_that_lists_the_classes_lists_them_in_reverse(method: str) -> None:
    model = biased(1.0)
    model.replies = lambda _: {"a: 0.2, b: 0.5, c: 0.3\nAnswer: b": 1.0}
    found = flipped(model, method=method, replies=2)
    assert found == ((False,), (False,))
    assert any("c, b, a" in said(call.prompt) for call in model.drawn)


def test_several_classes_that_may_apply_have_an_answer_each_and_two_orders() -> None:
    model = biased(9.0)
    found = flipped(model, kind="multi")
    assert found == ((True,) * 3, (False,) * 3)
    assert {call.choices for call in model.scored} == {("no", "yes")}


def test_two_classes_are_asked_in_their_two_orders_alone() -> None:
    assert asked_again(section(), 2) == [Again(1, reverse=True)]
    assert asked_again(section(permutations="all"), 2) == [Again(1), Again(1, reverse=True)]
    one, other = (label_of("nominal", {"x": x, "y": 1 - x}, None) for x in (0.4, 0.6))
    assert flips({Again(1): one, Again(1, reverse=True): other}) == ((True,), (False,))


def test_classes_that_are_not_listed_have_no_order() -> None:
    for label, order in (
        (section(), True),
        (section(listed=False), False),
        (section(method="decisions"), True),
        (section(method="decisions", kind="multi"), False),
        (section(method="decisions", kind="ordinal"), False),
    ):
        assert has_order(label) is order
        assert bool(asked_again(label, 3)) is order


def test_examples_have_orders_too_which_two_classes_do_not_exhaust() -> None:
    shown = [{"text": "Great.", "label": "yes"}, {"text": "Bad.", "label": "no"}, {"text": "Fine.", "label": "yes"}]
    label = section(prompt="{{ text }}", examples=shown)
    assert has_order(label.model_copy(update={"listed": False}))
    assert asked_again(label, 2) == [Again(1, reverse=True), Again(2), Again(2, reverse=True)]
    votes = section(prompt="{{ text }}", examples=shown, method="votes")
    assert asked_again(votes, 2) == [Again(1, reverse=True)], "they stand before the question in one order"
    model = biased(1.0)
    flipped(model, examples=[{"text": f"X{i}", "mood": name} for i, name in enumerate(CLASSES, start=1)])
    seen = sorted("".join(c for c in said(call.prompt) + call.prompt.prefill if c in "123") for call in model.scored)
    assert seen == ["123", "213", "312", "321", "321"]


def test_a_question_lists_its_classes_in_the_reverse_of_each_order() -> None:
    asked = Question("Which?", CLASSES)
    for count in (1, 2, "all"):
        there = asked._replace(reverse=True).orders(count)
        assert there == [order[::-1] for order in asked.orders(count)]


@pytest.mark.parametrize("kind", ["nominal", "multi"])
def test_a_label_of_several_orders_knows_whether_they_differ(kind: str) -> None:
    def known(first: float, count: object) -> tuple[bool, ...]:
        label = {"name": "mood", "classes": list(CLASSES), "prompt": "{{ text }}", "kind": kind, "permutations": count}
        made = template_of({"version": 1, "name": "t", "prompt": "-", "labels": [label]}, "t.yaml")
        (labels,) = told(Labeller(made, ("text",), seed=1).label([Text("x", "x", {"text": "a"})]), biased(first))
        return getattr(labels["mood"], "order_flips", ())

    size = 3 if kind == "multi" else 1
    assert known(9.0, "all") == (True,) * size
    assert known(1.0, "all") == (False,) * size
    assert known(9.0, 1) == ()


def test_the_likeliest_of_each_class_is_whether_it_applies() -> None:
    one, other = multi_label({"x": 0.4, "y": 0.6}, None), multi_label({"x": 0.45, "y": 0.3}, None)
    assert flips({Again(1): one, Again(1, reverse=True): other}).one == (False, True)
