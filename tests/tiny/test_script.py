"""Scripts are drawn by their probabilities, replayed by their indices, and joined without changing what they write."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.tiny.grammar.script import Choice, Script, Step, fixed, follow, joined, perform, say, weighted

T = TypeVar("T")
PLACES = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True), max_size=5)


class At(Random):
    """Always draws the same number, so that a share of numbers is a probability."""

    def __init__(self, at: float) -> None:
        super().__init__(0)
        self._at = at

    def random(self) -> float:
        return self._at


def meal() -> Script[tuple[str, int]]:
    """A drink, whose milk depends on it, between fixed pieces."""
    yield from say("I ")
    yield from say("take ")
    drink = ("tea", "coffee")[(yield Choice(("tea", "coffee"), (0.25, 0.75)))]
    milk = 0
    if drink == "coffee":
        yield from say(" with ")
        milk = yield weighted(["no milk", "milk", "cream"], [1, 2, 5])
    yield from say(".")
    yield from say(" Thanks!")
    return drink, milk


def silence() -> Script[str]:
    """Says nothing."""
    yield from ()
    return "nothing"


def outcomes(make: Callable[[], Script[T]], taken: tuple[int, ...] = ()) -> Iterator[tuple[str, float, T]]:
    """Every text that a script can write: with its probability and what the script returns."""
    script, said, p = make(), "", 1.0
    try:
        choice = next(script)
        for index in taken:
            said, p = said + choice.texts[index], p * choice.probs[index]
            choice = script.send(index)
    except StopIteration as end:
        yield said, p, end.value
        return
    for index in range(len(choice.texts)):
        yield from outcomes(make, (*taken, index))


def test_alternatives_are_drawn_by_their_probabilities() -> None:
    def coin() -> Script[int]:
        return (yield Choice(("a", "b", "c"), (0.125, 0.5, 0.375)))

    drawn = Counter(perform(coin(), At((i + 0.5) / 1000))[1] for i in range(1000))
    assert drawn == {0: 125, 1: 500, 2: 375}


def test_a_performance_is_what_was_written_and_what_was_returned() -> None:
    possible = {said: value for said, _, value in outcomes(meal)}
    for seed in range(50):
        steps, value = perform(meal(), Random(seed))
        assert possible["".join(step.text for step in steps)] == value


def test_the_same_seed_writes_the_same_text() -> None:
    assert perform(meal(), Random(7)) == perform(meal(), Random(7))


def test_following_replays_every_choice_of_a_performance() -> None:
    for seed in range(20):
        steps, _ = perform(meal(), Random(seed))
        taken = [step.index for step in steps]
        for n, step in enumerate(steps):
            assert follow(meal(), taken[:n]) == step.choice
        assert follow(meal(), taken) is None


def test_a_script_that_says_nothing_has_no_choice_and_still_returns() -> None:
    assert perform(silence(), Random(0)) == ((), "nothing")
    assert perform(joined(silence()), Random(0)) == ((), "nothing")
    assert follow(silence(), ()) is None


def test_all_texts_of_a_script_sum_to_one() -> None:
    assert math.fsum(p for _, p, _ in outcomes(meal)) == pytest.approx(1, abs=1e-12)


def test_joining_keeps_texts_probabilities_and_returned_values() -> None:
    assert list(outcomes(lambda: joined(meal()))) == list(outcomes(meal))


def test_joining_makes_neighbouring_fixed_pieces_one() -> None:
    assert follow(joined(meal()), ()) == fixed("I take ")
    assert follow(joined(meal()), [0, 0]) == fixed(". Thanks!")
    assert follow(joined(meal()), [0, 1]) == fixed(" with ")
    assert follow(joined(meal()), [0, 1, 0]) == weighted(["no milk", "milk", "cream"], [1, 2, 5])
    assert follow(joined(meal()), [0, 1, 0, 2]) == fixed(". Thanks!")
    assert follow(joined(meal()), [0, 1, 0, 2, 0]) is None


def test_a_joined_script_is_told_which_alternative_was_taken() -> None:
    told: list[int] = []

    def listening() -> Script[None]:
        for _ in range(3):
            yield from say("-")
            told.append((yield Choice(("a", "b", "c"), (0.25, 0.25, 0.5))))

    follow(joined(listening()), [0, 2, 0, 1, 0, 0])
    assert told == [2, 1, 0]


@given(PLACES)
def test_any_script_joined_writes_the_same_and_has_no_two_fixed_pieces_in_a_row(places: list[list[str]]) -> None:
    def script() -> Script[list[int]]:
        taken = []
        for texts in places:
            taken.append((yield weighted(texts, [1.0] * len(texts))))
        return taken

    assert list(outcomes(lambda: joined(script()))) == list(outcomes(script))
    steps, _ = perform(joined(script()), Random(0))
    free = [len(step.choice.texts) == 1 for step in steps]
    assert not any(one and other for one, other in pairwise(free))


def test_weights_become_probabilities_and_weight_zero_is_no_alternative() -> None:
    assert weighted(["a", "b", "c"], [1, 0, 3]) == Choice(("a", "c"), (0.25, 0.75))


def test_weights_must_be_as_many_as_the_texts() -> None:
    with pytest.raises(ValueError, match="shorter"):
        weighted(["a", "b"], [1])


def test_the_text_of_a_step_is_the_alternative_that_was_taken() -> None:
    assert Step(Choice(("a", "b"), (0.5, 0.5)), 1).text == "b"
