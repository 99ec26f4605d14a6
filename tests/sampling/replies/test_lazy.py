"""Patterns that are compiled when they are first used."""

from __future__ import annotations

import re

import pytest

from vsgen.sampling.replies.lazy import pattern


def test_a_lazy_pattern_finds_what_a_compiled_one_does() -> None:
    lazy, compiled = pattern(r"(\d+)x", re.IGNORECASE), re.compile(r"(\d+)x", re.IGNORECASE)
    for text in ("a 12X", "none", ""):
        for _ in range(2):
            assert str(lazy.search(text)) == str(compiled.search(text))
    assert lazy.sub("y", "1x 2X") == "y y"
    assert lazy.pattern == compiled.pattern


def test_a_pattern_is_compiled_when_it_is_used() -> None:
    wrong = pattern("(")
    with pytest.raises(re.error):
        wrong.search("")
