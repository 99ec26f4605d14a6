"""What the next row may take of the budgets."""

from __future__ import annotations

import pytest

from vsgen.jobs.budget import Budget
from vsgen.jobs.label_budget import budget_of_rows
from vsgen.jobs.label_options import LabelOptions, from_flags
from vsgen.jobs.plan import Load, Part, Plan
from vsgen.sections.prices import Prices

PLANNED = Plan("input rows", 1, 1, (Part("label x", "m", Load(1, 100, 1), Load(2, 150, 2), Prices(input=4, output=8)),))


def budget(times: int, **limits: float) -> Budget:
    options = LabelOptions(*from_flags([{"name": "x", "classes": ["a", "b"]}], None, []), "in.jsonl", **limits)  # type: ignore[arg-type]
    return budget_of_rows(options, lambda: PLANNED, times=times, flips=False)


def test_a_row_that_is_labelled_in_three_forms_takes_three_times_as_much() -> None:
    once, thrice = budget(1, max_calls=10, max_cost=1.0), budget(3, max_calls=10, max_cost=1.0)
    assert once.calls == 2 and once.usd == PLANNED.most_usd
    assert thrice.calls == 6 and thrice.usd == pytest.approx(3 * once.usd)


def test_without_a_limit_nothing_is_planned() -> None:
    assert budget(3) == Budget()
