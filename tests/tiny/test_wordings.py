"""Ways of asking: their number, which of them training never sees, and that none asks for two things."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from random import Random
from typing import Final

import pytest

from vsgen.tiny import words
from vsgen.tiny.grammar import closed, jokes, quizzes, reviews, stories, sums, tickets
from vsgen.tiny.grammar.tasks import requests
from vsgen.tiny.grammar.wordings import Split, Wordings, expand, fill, fillers, held

ALL: Final = {
    "closed": closed.WORDINGS,
    "ticket": tickets.WORDINGS,
    "ticket class": tickets.QUESTIONS,
    "review": reviews.WORDINGS,
    "review class": reviews.QUESTIONS,
    "joke": jokes.WORDINGS,
    "story": stories.WORDINGS,
    "quiz": quizzes.WORDINGS,
    "quiz class": quizzes.QUESTIONS,
    "chain": sums.CHAINS,
    "story sum": sums.STORIES,
    "with probabilities": words.WITH_PROBABILITIES,
    "without": words.WITHOUT,
}
KEYS: Final = {
    "ticket class": {"text"},
    "review class": {"text"},
    "quiz class": {"text"},
    "chain": {"chain"},
    "story sum": {"name", "start", "things", "story"},
    "with probabilities": {"k", "form"},
    "without": {"k", "form"},
}
SPLITS: Final[tuple[Split, ...]] = ("shipped", "train", "combined", "new")
FILLERS: Final = tuple(one for ones in fillers() for one in ones)
DRAWS: Final = 2000
each = pytest.mark.parametrize("wordings", ALL.values(), ids=ALL)


def split(wordings: Wordings, name: Split) -> set[str]:
    """The words of a split, by definition."""
    combinations = {one for pattern in wordings.patterns for one in expand(pattern)} - {wordings.shipped}
    match name:
        case "shipped":
            return {wordings.shipped}
        case "train":
            return {one for one in combinations if not held(one)}
        case "combined":
            return {one for one in combinations if held(one)}
        case "new":
            return {one for pattern in wordings.new for one in expand(pattern)}


def drawn(wordings: Wordings, name: Split) -> list[str]:
    """Many draws."""
    rng = Random(0)
    return [wordings.draw(rng, name) for _ in range(DRAWS)]


def bare(one: str) -> set[str]:
    """What may have been said if a sentence that means nothing stands before or after it."""
    before = {one.removeprefix(f"{filler} ") for filler in FILLERS}
    return before | {one.removesuffix(f" {filler}") for filler in FILLERS}


def filled(patterns: Iterable[str], keys: Mapping[str, str]) -> set[str]:
    """What is asked in the end."""
    return {fill(pattern, keys) for pattern in patterns}


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("no options", ["no options"]),
        ("[a|b] c", ["a c", "b c"]),
        ("a[|, please]", ["a", "a, please"]),
        ("[a|b][c|d]", ["ac", "ad", "bc", "bd"]),
        ("[{x} ]and {y}", ["{x} and {y}"]),
    ],
)
def test_a_pattern_stands_for_all_its_combinations(pattern: str, said: list[str]) -> None:
    assert list(expand(pattern)) == said


@each
def test_combinations_are_as_many_as_the_product_of_the_options_and_all_different(wordings: Wordings) -> None:
    for pattern in (*wordings.patterns, *wordings.new):
        found = list(expand(pattern))
        assert len(found) == math.prod(options.count("|") + 1 for options in re.findall(r"\[(.*?)\]", pattern))
        assert not any(set("[]|") & set(one) for one in found)
    everything = list(wordings.all())
    assert len(set(everything)) == len(everything)


@each
def test_splits_hold_different_words_and_make_up_the_whole(wordings: Wordings) -> None:
    parts = [split(wordings, name) for name in SPLITS]
    assert all(parts)
    assert sum(map(len, parts)) == len(set().union(*parts))
    assert set().union(*parts) == set(wordings.all())


@each
def test_training_draws_no_held_out_combination_and_no_new_pattern(wordings: Wordings) -> None:
    trained = split(wordings, "train") | split(wordings, "shipped")
    for one in set(drawn(wordings, "train")):
        assert bare(one) & trained, one
        assert one not in split(wordings, "combined") | split(wordings, "new")


@each
def test_training_draws_from_every_pattern_alike_and_often_the_shipped_words(wordings: Wordings) -> None:
    found = drawn(wordings, "train")
    others = [bare(one) for one in found if one != wordings.shipped]
    assert 0.2 < 1 - len(others) / DRAWS < 0.35
    share = 1 / len(wordings.patterns)
    error = math.sqrt(share * (1 - share) / len(others))
    for pattern in wordings.patterns:
        ones = set(expand(pattern))
        assert abs(sum(bool(one & ones) for one in others) / len(others) - share) < 4.5 * error  # standard errors


@each
def test_a_filler_may_stand_around_trained_words_and_never_after_a_text(wordings: Wordings) -> None:
    found = [one for one in drawn(wordings, "train") if len(bare(one)) > 1]
    assert DRAWS / 10 < len(found) < DRAWS / 3
    if "{text}" in wordings.shipped:
        assert all(one.startswith(FILLERS) for one in found)
    else:
        assert any(one.startswith(FILLERS) for one in found)
        assert any(one.endswith(FILLERS) for one in found)


def test_fillers_are_sentences_without_numbers_or_braces() -> None:
    assert len(set(FILLERS)) == len(FILLERS)
    for filler in FILLERS:
        assert re.fullmatch(r"[A-Z][^\d{}\[\]|]+[.!a-z]", filler), filler


@each
def test_evaluation_draws_all_of_a_split_and_nothing_else(wordings: Wordings) -> None:
    for name in SPLITS:
        if name != "train":
            assert set(drawn(wordings, name)) == split(wordings, name)


@each
def test_about_one_combination_in_eight_is_held_out(wordings: Wordings) -> None:
    out, trained = len(split(wordings, "combined")), len(split(wordings, "train"))
    error = math.sqrt((out + trained) / 8 * 7 / 8)
    assert abs(out - (out + trained) / 8) < 3 * error  # three standard errors


@pytest.mark.parametrize("name", KEYS)
def test_every_way_of_asking_names_all_that_is_asked(name: str) -> None:
    for one in ALL[name].all():
        assert set(re.findall(r"\{(\w+)\}", one)) == KEYS[name], one


def test_no_two_requests_are_asked_for_in_the_same_words() -> None:
    owner: dict[str, object] = {}
    for request in requests():
        for text in filled(request.wordings.all(), request.keys):
            assert owner.setdefault(text, request) is request, text


def test_no_brace_is_left_and_no_blank_is_doubled_or_dangling() -> None:
    for request in requests():
        for text in filled(request.wordings.all(), request.keys):
            assert not set("{}") & set(text), text
            assert "  " not in text, text
            assert text == text.strip()


def test_new_patterns_are_new_once_they_are_filled() -> None:
    for request in requests():
        old = request.wordings
        known = filled(split(old, "train") | split(old, "combined") | {old.shipped}, request.keys)
        assert not filled(split(old, "new"), request.keys) & known


def test_held_out_combinations_are_unseen_once_they_are_filled() -> None:
    for request in requests():
        one = request.wordings
        rng = Random(0)
        asked = filled({one.draw(rng, "combined") for _ in range(300)}, request.keys)
        assert not asked & filled(split(one, "train") | {one.shipped}, request.keys)


def test_filling_leaves_other_braces_alone() -> None:
    assert fill('{k} answers like {"a": {k}}', {"k": "3"}) == '3 answers like {"a": 3}'
