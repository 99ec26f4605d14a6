"""The key of the exact stage: which texts are the same text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.dedup.normalize import fold, key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello, world!", "hello world"),
        ("  A\tline\nof text ", "a line of text"),
        ("\u201cQuoted\u201d", '"quoted"'),
        ("don\u2019t", "don't"),
        ("well\u2014known", "well-known"),
        ("STRASSE", "straße"),
        ("cafe\u0301", "caf\u00e9"),
        ("\uff21\uff22", "ab"),
        ("soft\u00adware", "software"),
        ("2019\u20132020", "2019 - 2020"),
        ("\u4f60\u597d\u3002", "\u4f60\u597d"),
        ("...", " ... "),
    ],
)
def test_texts_that_differ_in_form_only_share_a_key(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("...", "!!!"),
        ("", "?"),
        ("\U0001f600", "\U0001f622"),
        ("\u4f60", "\u6211"),
        ("\u0915\u093f", "\u0915\u0940"),  # Devanagari: the same letter with another vowel mark
        ("1.5 litres", "15 litres"),
        ("1.5 litres", "1 5 litres"),
        ("It is -5 outside", "It is 5 outside"),
        ("7-3", "7*3"),
        ("7 / 3", "7 * 3"),
        ("C#", "C"),
        ("50%", "50"),
        ("a < b", "a > b"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "\U0001f3f4"),  # a flag by its tags
    ],
)
def test_texts_that_differ_in_meaning_do_not(one: str, other: str) -> None:
    assert key(one) != key(other)


@given(st.text())
def test_any_text_has_a_key_of_sixteen_bytes(text: str) -> None:
    assert len(key(text)) == 16
    assert len(key(text + "\ud800")) == 16


@given(st.text())
def test_a_text_with_anything_to_see_does_not_fold_to_nothing(text: str) -> None:
    if any(unicodedata.category(char)[0] in "LNPS" for char in text):
        assert fold(text)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
