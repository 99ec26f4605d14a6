"""How many draws a run starts: what will probably do, a few more while they cost little, never beyond a budget."""

from __future__ import annotations

from collections import Counter

from vsgen.jobs.budget import Budget
from vsgen.jobs.counts import Counts
from vsgen.jobs.pace import Pace


def window(*, wanted: int, rows: int, kept: int = 0, draws: int = 0, max_calls: int | None = None) -> int | None:
    counts = Counts(wanted=wanted, kept=kept, units=draws)
    return Pace(counts, Budget(1, 1024, max_calls), k=5, rows=rows, patience=20).most()


def test_a_few_draws_are_started_ahead_while_the_batch_is_half_empty() -> None:
    assert window(wanted=20, rows=1) == 4
    assert window(wanted=20, rows=32) == 6
    assert window(wanted=65, rows=32) == 16
    assert window(wanted=80, rows=32) == 16
    assert window(wanted=200, rows=32) == 40


def test_what_was_kept_so_far_says_how_many_are_needed() -> None:
    assert window(wanted=20, rows=1, kept=7, draws=3) == 5  # 13 are missing, and a draw gave (7 + 5) / (3 + 1)
    assert window(wanted=20, rows=32, kept=7, draws=3) == 7
    assert window(wanted=20, rows=32, kept=20, draws=5) == 0


def test_no_draw_is_started_that_a_budget_cannot_bear() -> None:
    assert window(wanted=20, rows=32, max_calls=5) == 5
    assert window(wanted=20, rows=32, max_calls=2) == 2


def test_what_is_not_bounded_starts_as_many_draws_as_there_is_room_for() -> None:
    assert Pace(Counts(), Budget(1, 1024), k=5, rows=8, patience=20).most() is None
    assert Pace(Counts(replies=3), Budget(2, 1024, max_calls=8), k=5, rows=8, patience=20).most() == 2


def test_a_run_without_news_is_saturated_after_its_patience_and_never_without_one() -> None:
    for patience, saturated in ((3, True), (4, False), (0, False)):
        counts = Counts(wanted=9, rejected=Counter(duplicate=15))
        pace = Pace(counts, Budget(1, 1024), k=5, rows=1, patience=patience)
        for _ in range(3):
            pace.note(kept=0, candidates=5)
        why = pace.saturated(lambda: "")
        assert (why == "saturated: 0 of the last 15 candidates were new (so far 15 duplicate)") is saturated
