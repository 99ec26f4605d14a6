"""Whatever a server does to a run of thousands of calls: each is answered once, with its own reply."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.endpoint.plan import Plan, Trouble
from tests.endpoint.run import Ran, run
from vsgen.backends.endpoint.limits import Ceiling
from vsgen.backends.endpoint.settings import Settings, Timeouts

SETTINGS = Settings(Ceiling(64), timeouts=Timeouts(connect=5.0, silent=2.0, total=10.0))
CALLS = 1500
SHARES: list[dict[Trouble, float]] = [
    {"429": 0.05},
    {"429-after": 0.05},
    {"429-date": 0.05},
    {"500": 0.05},
    {"reset": 0.02},
    {"hang": 0.02},
    {"garbage": 0.05},
    {"type": 0.05, "error-200": 0.05},
    {"cut": 0.05, "drip": 0.05},
    {"429": 0.02, "429-after": 0.03, "500": 0.05, "reset": 0.02, "hang": 0.02, "garbage": 0.05, "503": 0.02},
]


def check(ran: Ran, *, twice: int = 0) -> None:
    assert ran.refused == []
    assert len(ran.texts) == len(set(ran.texts)) == CALLS
    assert set(ran.texts) == {f"reply to {name}" for name in ran.counts["served"]}
    assert ran.twice <= twice


@pytest.mark.slow
@pytest.mark.parametrize("shares", SHARES, ids=lambda shares: ",".join(shares))
def test_no_call_is_lost_or_answered_twice(shares: dict[Trouble, float]) -> None:
    ran = run(Plan(shares=shares, latency=0.05), CALLS, SETTINGS)
    check(ran)
    assert set(ran.counts["troubles"]) == set(shares)


@pytest.mark.slow
def test_an_outage_of_twenty_seconds_costs_no_call() -> None:
    check(run(Plan(dead=(0.5, 20.0), latency=0.05), CALLS, SETTINGS), twice=64)


@pytest.mark.slow
def test_a_server_that_takes_eight_at_once_is_sent_about_eight() -> None:
    ran = run(Plan(together=8, latency=0.05), CALLS, replace(SETTINGS, ceiling=Ceiling(64)))
    check(ran)
    assert ran.counts["troubles"]["429"] < CALLS
