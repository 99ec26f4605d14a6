"""A pattern's size is known before it is compiled."""

from __future__ import annotations

import pytest

from vsgen.template.patterns import pattern_finder, size


@pytest.mark.parametrize(
    ("pattern", "least"),
    [
        ("abc", 3),
        (r"\w+", 50),
        (r"\w{100}", 5_000),
        (r"(\w{20}){9}", 9_000),
        (r"(?:a{0,50}){0,50}", 2_500),
        (r"a{50}{50}", 2_500),
        (r"[\w-]{1,100}", 5_000),
        (r"[]\w(]{1,100}", 5_000),
        (r"[^](\w[a-z]{]{90}", 4_500),
        (r"([\[\]\w{2,}]{3}){30}", 4_500),
        (r"\p{Greek}{30,}", 1_500),
        (r"((a{9}){9}){9}", 729),
        ("(?x) a {900} # many", 900),
        ("(?x) \\w # a letter\n {90}", 4_500),
        ("(?ix:a { 900 })", 900),
        (r"\{9999\}", 1),
        ("(((", 0),
    ],
)
def test_counted_repetitions_are_written_out(pattern: str, least: int) -> None:
    assert least <= size(pattern) <= least * 1.2 + 60


@pytest.mark.parametrize("pattern", [r"^.{1,900}$", r"\b\w+\b", r"(?i)^(ticket|order)\b.*$", r"\d{4}-\d{2}-\d{2}"])
def test_what_templates_say_is_small(pattern: str) -> None:
    assert not pattern_finder(pattern)("")


@pytest.mark.parametrize("pattern", ["a{1000}{1000}", r"(\w{20}){20}", r"(?x)(?:\w {100}) {3}", "a{999999999999}"])
def test_what_is_too_large_is_refused_uncompiled(pattern: str) -> None:
    with pytest.raises(ValueError, match="at most 10,000; repeat less"):
        pattern_finder(pattern)
