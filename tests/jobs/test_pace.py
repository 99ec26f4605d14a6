"""How many draws a run starts: what will probably do, a few more while they cost little, never beyond a budget."""

from __future__ import annotations

from vsgen.jobs.generate import GenerateOptions, Tally, _Pace
from vsgen.template.load import load_template


def window(*, wanted: int, rows: int, kept: int = 0, draws: int = 0, max_calls: int | None = None) -> int:
    job = GenerateOptions("support-tickets", num=wanted, max_calls=max_calls)
    template = load_template("support-tickets", ["sampling.method=vs", "sampling.k=5", "labels=[]", "keep=[]"])
    tally = Tally(wanted=wanted, kept=kept, draws=draws)
    return _Pace(job, template, template.sampling, tally, rows).window()


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
