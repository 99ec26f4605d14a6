"""Lines are broken for a terminal, and only there."""

from __future__ import annotations

from vsgen.cli.folded import Beside, folded
from vsgen.cli.printed import Heading

TEXT = "one two three " * 10


def test_where_no_terminal_is_lines_stay_whole() -> None:
    assert list(folded([TEXT, Beside("head ", TEXT)], None)) == [TEXT, f"head {TEXT}"]


def test_lines_are_broken_between_words() -> None:
    made = list(folded([TEXT], 60))
    assert max(map(len, made)) < 60
    assert " ".join(made).split() == TEXT.split()
    assert list(folded(["short", "", "a\n\nb"], 60)) == ["short", "", "a", "", "b"]


def test_a_broken_line_stays_beside_its_head() -> None:
    first, *more = folded([Beside("rows   ", TEXT)], 60)
    assert first.startswith("rows   one")
    assert more and all(line.startswith("       ") and line[7] != " " for line in more)


def test_headings_and_long_words_stay_whole() -> None:
    heading = Heading("── " + "x " * 60)
    assert list(folded([heading, "y" * 90], 60)) == [heading, "y" * 90]
