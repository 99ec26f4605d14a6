"""The guards: what must be equal before two texts may be twins."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.dedup.guards import GUARDS, negated, numbers, signature


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("no number here, not one", ()),
        ("at 7 or at 9", ("7", "9")),
        ("-3 of 1,500 at two", ("-3", "1500", "2")),
        ("2019-2020", ("2019", "2020")),
        ("2019\u20132020", ("2019", "2020")),
        ("it is \u22125 outside", ("-5",)),
        ("1.5 litres", ("1.5",)),
        ("1, 5 litres.", ("1", "5")),
        ("half past 10:30", ("10:30",)),
        ("Twenty-five Dogs", ("20", "5")),
        ("\uff11\uff12", ("12",)),
        ("someone often attends", ()),
        ("thirty forty hundred", ("100", "30", "40")),
    ],
)
def test_numbers_are_read_in_digits_and_words(text: str, expected: tuple[str, ...]) -> None:
    assert numbers(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It works.", False),
        ("It does not work.", True),
        ("It doesn't work.", True),
        ("It DOESN\u2019T work.", True),
        ("I never said that it does not work.", False),
        ("Without milk", True),
        ("a notable knot, now known", False),
        ("I cannot log in", True),
    ],
)
def test_negations_count_by_parity(text: str, expected: bool) -> None:
    assert negated(text) is expected


@pytest.mark.parametrize(
    ("one", "other", "may_be_twins"),
    [
        ("The bus leaves at 7.", "At 7 the bus leaves.", True),
        ("The bus leaves at 7.", "The bus leaves at 9.", False),
        ("Two dogs run.", "2 dogs are running.", True),
        ("He has 2 cats and 3 dogs.", "He has 3 dogs and 2 cats.", True),
        ("The light works.", "The light does not work.", False),
        ("The light isn't working.", "The light does not work.", True),
    ],
)
def test_texts_may_be_twins_only_if_all_guards_agree(one: str, other: str, may_be_twins: bool) -> None:
    guards = tuple(GUARDS)
    assert (signature(one, guards) == signature(other, guards)) is may_be_twins


@given(st.text())
def test_guards_take_any_text(text: str) -> None:
    assert list(numbers(text)) == sorted(numbers(text))
    assert negated(text) in (True, False)


PIECES = [
    *["not", "no", "never", "none", "nobody", "nothing", "nowhere", "neither", "nor", "without", "cannot", "knot"],
    *["n't", "n\u2019t", "NOT", "two", "seven", "seventeen", "seventy", "hundred", "one", "often", "weighty", "ten"],
    *"-\u2212.,()[]:/_ae\u00e9\n \u00b2\u0663\u0301",
    *["1", "23", "7,890", " ", " ", " "],
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)


@given(TEXTS)
def test_negations_are_those_of_the_plain_expression(text: str) -> None:
    """Which is slower: it begins with a word's border."""
    words = "not|no|never|none|nobody|nothing|nowhere|neither|nor|without|cannot"
    plain = re.compile(rf"\b(?:{words})\b|n['\u2019]t\b", re.IGNORECASE)
    assert negated(text) == (len(plain.findall(text)) % 2 == 1)


@given(TEXTS)
def test_numbers_are_those_of_the_plain_expressions(text: str) -> None:
    values = {"two": "2", "seven": "7", "seventeen": "17", "seventy": "70", "hundred": "100", "ten": "10"}
    plain = unicodedata.normalize("NFKC", text).lower().replace("\u2212", "-")
    said = [values[word] for word in re.findall(rf"\b(?:{'|'.join(values)})\b", plain)]
    written = re.findall(r"(?:(?<![\w.,)\]])-)?\d+(?:[.,:/]\d+)*", plain)
    whole = [re.sub(",", "", one) if re.fullmatch(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?", one) else one for one in written]
    assert numbers(text) == tuple(sorted(said + whole))
