"""Names are found in texts: the longest at each place, none twice, thousands as fast as few."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from vsgen.backends.chat.finder import Finder

NAMES = ("<s>", "</s>", "<<", "<|a|>", "<|a|>b", "b", "ab<")


def test_the_first_and_of_equals_the_longest_name_is_found() -> None:
    assert Finder(NAMES).found("x<|a|>b<|a|><<|a|><s") == ["<|a|>b", "<|a|>", "<<"]
    assert Finder(()).found("<s>") == []
    assert Finder(NAMES).replace("a<s>b", lambda name: f"[{len(name)}]") == "a[3][1]"


@given(st.text(st.sampled_from("<s/>|ab"), max_size=30))
def test_it_finds_what_a_pattern_of_all_names_finds(text: str) -> None:
    pattern = re.compile("|".join(map(re.escape, sorted(NAMES, key=len, reverse=True))))
    assert Finder(NAMES).found(text) == pattern.findall(text)
    assert Finder(NAMES).replace(text, str.upper) == pattern.sub(lambda match: match[0].upper(), text)


def test_folded_names_are_found_in_the_folded_text() -> None:
    finder = Finder(("<Think>",), str.lower)
    assert finder.found("a<THINK>") == ["<think>"]
    assert finder.found("a<Think>") == ["<Think>"]
    assert finder.found("think") == []
