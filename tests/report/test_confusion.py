"""The confusion matrix, as text."""

from __future__ import annotations

import numpy as np

from vsgen.report.confusion import confusion, confusion_table, yes_or_no_table


def test_a_row_counts_at_its_true_and_its_likeliest_class() -> None:
    rows = [[0.7, 0.3], [0.4, 0.6], [0.5, 0.5]]
    assert confusion(rows, [[1, 0], [1, 0], [0, 1]]).tolist() == [[1, 1], [1, 0]]
    assert confusion(rows, [[0.5, 0.5], [1, 0], [0, 1]]).tolist() == [[0.5, 1], [1.5, 0]]


def test_the_matrix_has_a_line_for_each_true_class() -> None:
    rows = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1]]
    told, header, *lines = confusion_table(("good", "bad", "so-so"), rows, np.eye(3)[[0, 1, 2]].tolist())
    assert told == "  true class (lines) and likeliest class (columns):"
    assert header.split() == ["good", "bad", "so-so"]
    assert [line.split() for line in lines] == [
        ["good", "1", "0", "0"],
        ["bad", "0", "1", "0"],
        ["so-so", "1", "0", "0"],
    ]
    assert {len(line) for line in (header, *lines)} == {len(header)}


def test_shares_of_gold_are_shown_with_a_decimal() -> None:
    *_, line = confusion_table(("a", "b"), [[0.7, 0.3]], [[0.25, 0.75]])
    assert line.split() == ["b", "0.8", "0.0"]


def test_long_names_are_cut_and_eighty_columns_are_never_passed() -> None:
    for count in (2, 5, 9, 12, 77):
        names = [f"a class with a long name, number {i}" for i in range(count)]
        rows = np.eye(count)[np.arange(200) % count].tolist()
        gold = np.eye(count)[np.arange(200) // 3 % count].tolist()
        lines = confusion_table(names, rows, gold)
        assert max(map(len, lines)) <= 80
    assert lines[0] == "  true class -> likeliest class, the largest of 196:" or "largest of" in lines[0]
    assert len(lines) == 11


def test_no_confusion_among_many_classes_is_said() -> None:
    rows = np.eye(40).tolist()
    assert confusion_table([f"c{i}" for i in range(40)], rows, rows) == ["  no class is taken for another"]


def test_each_of_several_classes_has_a_line_of_its_own() -> None:
    yes, no = [1.0, 0.0], [0.0, 1.0]
    header, first, second = yes_or_no_table(("a", "b"), [[yes, no, yes], [no, no, no]], [[yes, yes, no], [no, no, yes]])
    assert header.split("  ")[-1].strip() == "rightly not"
    assert first.split() == ["a", "1", "1", "1", "0"]
    assert second.split() == ["b", "0", "1", "0", "2"]
