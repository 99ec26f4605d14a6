"""Lines are broken for a terminal, and only there."""

from __future__ import annotations

from vsgen.cli.estimated import plan_lines
from vsgen.cli.folded import Beside, folded, hanging
from vsgen.cli.printed import Heading
from vsgen.jobs.plan import Load, Part, Plan

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


def test_closing_lines_hang_from_their_own_indentation_and_tables_stay_whole() -> None:
    made = hanging(f"vsgen: {TEXT}\n  note: {TEXT}\n  bus 1.00  {TEXT}", 60).split("\n")
    assert max(map(len, made[:-1])) < 60
    assert [len(line) - len(line.lstrip()) for line in made] == [0, 2, 2, 2, 4, 4, 2]
    assert hanging(f"  note: {TEXT}", None) == f"  note: {TEXT}"


def test_an_estimate_names_a_model_by_its_file() -> None:
    path = "/models/of/a/user/small.Q4_1.gguf"
    part = Part(f"label mood by {path}", path, Load(1, 2, 3), Load(1, 2, 3))
    plan = Plan("input rows", 1, 1, (part,))
    lines = list(plan_lines(plan, None))
    assert any(line.startswith("label mood by small.Q4_1.gguf  ") for line in lines)
    assert not any("/models" in line for line in lines)
