"""A budget is kept by reserving for every unit what it may take at most."""

from __future__ import annotations

from vsgen.jobs.budget import Budget, Used


def test_units_are_bounded_by_the_scarcest_budget() -> None:
    budget = Budget(2, 100, max_calls=10, max_tokens=1000, usd=0.5, max_cost=2.0)
    assert budget.units(Used()) == 4
    assert budget.units(Used(calls=6)) == 2
    assert budget.units(Used(tokens=901)) == 0
    assert budget.units(Used(usd=1.2)) == 1
    assert Budget(2, 100).units(Used(9, 9, 9.0)) is None


def test_a_unit_is_taken_to_cost_no_less_than_units_have_cost_so_far() -> None:
    budget = Budget(usd=0.1, max_cost=2.0)
    assert budget.units(Used(usd=1.0, units=2)) == 2
    assert Budget(max_cost=1.0).units(Used()) is None, "nothing is known before the first"


def test_a_budget_that_bears_no_unit_for_rounding_alone_bears_it_and_one_that_bears_none_is_spent() -> None:
    budget = Budget(usd=0.1, max_cost=1.0)
    for units in range(14):
        used = Used(usd=0.1 * units, units=units)
        assert budget.units(used) == max(0, 10 - units)
        assert (budget.spent(used) is None) == (units < 10)


def test_what_is_spent_is_said_with_what_the_next_unit_may_need() -> None:
    budget = Budget(usd=0.01, max_cost=0.05)
    assert budget.spent(Used(usd=0.04, units=10)) is None
    assert budget.spent(Used(usd=0.045, units=10)) == (
        "--max-cost: $0.0450 of $0.0500 is used, and the next draw may cost $0.0100"
    )
    assert Budget(1, 1, max_calls=4, unit="row").spent(Used(calls=4)) == "--max-calls: all 4 are used"
