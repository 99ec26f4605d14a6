"""Natural sums are always right; engineered ones are wrong by known odds, which sharpening the whole text mends."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.tiny.asks import Result
from vsgen.tiny.grammar import sums
from vsgen.tiny.grammar.script import follow, perform
from vsgen.tiny.grammar.sums import HASTY, SURE, Sum
from vsgen.tiny.replies import reply

CHAINS = [sums.chain(Random(f"{length}/{seed}"), length) for length in range(1, 7) for seed in range(100)]
HARD = [sums.chain(Random(seed), 6, hard=True) for seed in range(1000)]  # these would pass 999 if nothing stopped them
STORIES = [sums.story(Random(f"{length}/{seed}"), length) for length in (2, 3) for seed in range(25)]


def written(ask: Result) -> str:
    """A reply; a natural one has no alternatives."""
    steps, said = perform(reply(ask), Random(0))
    assert all(step.choice.probs == (1.0,) for step in steps)
    assert said == frozenset()
    return "".join(step.text for step in steps)


def replies(one: Sum) -> dict[str, float]:
    """Every reply to an engineered sum, and its probability."""
    found: dict[str, float] = {}
    open_ends: list[tuple[tuple[int, ...], str, float]] = [((), "", 1.0)]
    while open_ends:
        taken, said, p = open_ends.pop()
        choice = follow(reply(Result(one, engineered=True)), taken)
        if choice is None:
            assert said not in found
            found[said] = p
            continue
        for i, (text, prob) in enumerate(zip(choice.texts, choice.probs, strict=True)):
            open_ends.append(((*taken, i), said + text, p * prob))
    return found


def p_right(one: Sum, found: Mapping[str, float]) -> float:
    """P(the reply's answer is right)."""
    return math.fsum(p for text, p in found.items() if sums.final(text) == one.values[-1])


def greedy(found: Mapping[str, float]) -> str:
    """The reply that always takes the likeliest next character: numbers are tokens digit by digit."""
    said = ""
    while said not in found:
        following: dict[str, float] = {}
        for text, p in found.items():
            if text.startswith(said):
                following[text[len(said)]] = following.get(text[len(said)], 0.0) + p
        said += max(following, key=following.__getitem__)
    return said


def test_natural_sums_stay_between_2_and_999_and_keep_to_their_operands() -> None:
    for one, largest in [*((one, 99) for one in CHAINS), *((one, 899) for one in HARD)]:
        assert 10 <= one.start <= 99
        assert all(2 <= value <= sums.LARGEST for value in one.values)
        for value, (operation, n) in zip(one.values, one.stages, strict=False):
            if operation == "multiply by":
                assert value <= largest
                assert 2 <= n <= 9
            else:
                assert 11 <= n <= largest


def test_sums_are_as_long_as_asked_and_use_every_operation() -> None:
    assert [len(one.stages) for one in CHAINS] == [length for length in range(1, 7) for _ in range(100)]
    assert {operation for one in CHAINS for operation, _ in one.stages} == {"add", "subtract", "multiply by"}


def test_a_natural_reply_is_right_in_every_step_and_at_the_end() -> None:
    for one in CHAINS:
        text = written(Result(one, engineered=False))
        assert sums.steps(text) == [True] * len(one.stages)
        assert sums.final(text) == one.values[-1]


def test_reasoning_apart_holds_the_same_steps_and_the_answer_under_its_field() -> None:
    for one in CHAINS[::20]:
        text = written(Result(one, engineered=False, reasoning=True, field="value"))
        found = json.loads(text)
        assert json.dumps(found) == text
        assert list(found) == ["reasoning", "value"]
        assert sums.steps(found["reasoning"]) == [True] * len(one.stages)
        assert found["value"] == str(one.values[-1])


def test_a_worked_example_in_words_and_steps() -> None:
    one = Sum(47, (("add", 38), ("multiply by", 3), ("subtract", 100)))
    assert one.values == [47, 85, 255, 155]
    assert sums.told(one) == "47, add 38, multiply by 3, subtract 100"
    said = "47 + 38 = 85. 85 * 3 = 255. 255 - 100 = 155. The answer is 155."
    assert written(Result(one, engineered=False)) == said


def test_engineered_sums_stay_small_and_slips_stay_above_zero() -> None:
    for one in STORIES:
        assert 60 <= one.start <= 90
        assert all(operation in {"add", "subtract"} and 2 <= n <= 9 for operation, n in one.stages)
        assert min(one.values) + min(sums.SLIPS) * len(one.stages) > 0


def test_replies_to_an_engineered_sum_sum_to_one_and_all_give_an_answer() -> None:
    for one in STORIES:
        found = replies(one)
        assert math.fsum(found.values()) == pytest.approx(1, abs=1e-12)
        assert all(sums.final(text) is not None for text in found)


def test_guesses_and_steps_have_their_stated_probabilities() -> None:
    for one in STORIES:
        found, length = replies(one), len(one.stages)
        guesses = {text: p for text, p in found.items() if not sums.steps(text)}
        assert math.fsum(guesses.values()) == pytest.approx(HASTY)
        assert p_right(one, guesses) == pytest.approx(HASTY * sums.GUESSES["right"])
        flawless = math.fsum(p for text, p in found.items() if sums.steps(text) == [True] * length)
        assert flawless == pytest.approx((1 - HASTY) * SURE**length)
        assert all(len(sums.steps(text)) == length for text in found if text not in guesses)


def test_a_worked_reply_goes_on_from_what_it_wrote_itself() -> None:
    one = Sum(70, (("add", 5), ("subtract", 3)))
    found = replies(one)
    slip = "70 + 5 = 85. 85 - 3 = 82. The answer is 82."
    assert found[slip] == pytest.approx((1 - HASTY) * (1 - SURE) / len(sums.SLIPS) * SURE)
    assert sums.steps(slip) == [False, True]


def test_the_likeliest_first_token_begins_a_guess_and_the_likeliest_text_is_worked_and_right() -> None:
    for one in STORIES:
        found = replies(one)
        assert math.fsum(p for text, p in found.items() if text.startswith("T")) > 0.5
        likeliest = max(found, key=found.__getitem__)
        assert sums.steps(likeliest) == [True] * len(one.stages)
        assert sums.final(likeliest) == one.values[-1]


def test_the_power_of_the_whole_text_beats_plain_sampling() -> None:
    for one in STORIES:
        found = replies(one)
        sharp = {text: p**4 for text, p in found.items()}
        plain, power = p_right(one, found), p_right(one, sharp) / math.fsum(sharp.values())
        assert 0.35 < plain < 0.75
        assert power >= plain + 0.15


def crosses_100(one: Sum) -> bool:
    """Whether the last step leads above 99, where the first digits of right and wrong guesses are equally likely."""
    *_, before, right = one.values
    return before < 100 <= right


def test_greedy_is_wrong_but_where_two_first_digits_tie_which_is_rare() -> None:
    for one in STORIES:
        if not crosses_100(one):
            assert sums.final(greedy(replies(one))) != one.values[-1]
    rng = Random(0)
    assert sum(crosses_100(sums.story(rng, rng.choice((2, 2, 3)))) for _ in range(2000)) < 80


def test_equal_guesses_are_one_alternative() -> None:
    one = Sum(70, (("add", 5), ("subtract", 2)))  # two more than right is the number before the last step
    guesses = sums.guessed(one)
    assert guesses[75] == pytest.approx(sums.GUESSES["unfinished"] + sums.GUESSES["two more"])
    assert math.fsum(guesses.values()) == pytest.approx(1)


def test_results_of_a_step_sum_to_one_and_are_mostly_right() -> None:
    odds = sums.results(80)
    assert math.fsum(odds.values()) == pytest.approx(1)
    assert odds[80] == SURE
    assert set(odds) == {80, 81, 79, 90, 70}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is 12.", 12),
        ("The answer is 12", 12),
        ("1 + 2 = 3. The answer is 3. No: The answer is 4.", 4),
        ("The answer is twelve.", None),
        ("The answer is -3.", None),
        ("The answer is 3. Or so.", None),
        ("1 + 2 = 3.", None),
        ("12", None),
        ("", None),
    ],
)
def test_the_answer_of_a_reply_is_read_or_none(text: str, answer: int | None) -> None:
    assert sums.final(text) == answer


@given(st.lists(st.tuples(*[st.integers(0, 999)] * 2, st.sampled_from("+-*"), st.integers(0, 999)), max_size=5))
def test_every_written_step_is_judged_by_itself(said: list[tuple[int, int, str, int]]) -> None:
    right = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}
    text = " ".join(f"{a} {sign} {b} = {c}." for a, b, sign, c in said)
    assert sums.steps(text) == [right[sign](a, b) == c for a, b, sign, c in said]


def test_text_without_steps_has_none() -> None:
    assert sums.steps("The answer is 12. 3 + = 4. a + b = c.") == []
