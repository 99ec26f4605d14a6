"""Limits: never more in flight than the limit, never more in a minute than was allowed; only 429 shrinks anything."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from vsgen.backends.endpoint.limits import Ceiling, Limits, Permit

AGES = 1e9


def flood(limits: Limits, tokens: list[int], seconds: float) -> list[tuple[float, int]]:
    """When requests are sent by somebody who always has more to send, and whose requests come back at once."""
    sent, now = list[tuple[float, int]](), 0.0
    while now < seconds:
        amount = tokens[len(sent) % len(tokens)]
        if (wait := limits.wait(amount, now)) > 0:
            now += wait
        else:
            limits.give_back(limits.take(amount, now), {}, now, well=True)
            sent.append((now, amount))
    return sent


def most_in_a_minute(sent: list[tuple[float, int]]) -> int:
    last = total = most = 0
    for time, amount in sent:
        total += amount
        while sent[last][0] < time - 59.999:
            total -= sent[last][1]
            last += 1
        most = max(most, total)
    return most


@settings(max_examples=30)
@given(st.integers(1, 200))
def test_no_minute_holds_more_requests_than_it_may(rpm: int) -> None:
    sent = flood(Limits(Ceiling(rpm=rpm)), [1], 240.0)
    assert most_in_a_minute(sent) <= rpm
    assert len(sent) >= 4 * rpm / 2


@settings(max_examples=30)
@given(st.integers(100, 5000), st.lists(st.integers(20, 900), min_size=1, max_size=5))
def test_no_minute_holds_more_tokens_than_it_may_and_one_request(tpm: int, tokens: list[int]) -> None:
    sent = flood(Limits(Ceiling(tpm=tpm)), tokens, 200.0)
    assert most_in_a_minute(sent) <= tpm + max(tokens)
    assert sum(amount for _, amount in sent) >= 200 / 60 * tpm * 0.9 - max(tokens)


@given(
    st.lists(st.tuples(st.sampled_from(("send", "well", "bad", "429")), st.floats(0, 5)), max_size=200),
    st.integers(1, 30),
)
def test_never_more_is_in_flight_than_the_limit_and_the_limit_stays_in_its_bounds(
    actions: list[tuple[str, float]], most: int
) -> None:
    limits, now, flying = Limits(Ceiling(concurrency=most)), 0.0, list[Permit]()
    for action, seconds in actions:
        now += seconds
        before = limits.concurrency
        if action == "send":
            if limits.wait(1, now) <= 0:
                flying.append(limits.take(1, now))
                assert len(flying) <= limits.concurrency
        elif flying and action == "429":
            limits.sent_away(flying.pop(0), {}, now, None)
            assert limits.concurrency <= before
        elif flying:
            limits.give_back(flying.pop(0), {}, now, well=action == "well")
            assert limits.concurrency >= before
        assert limits.in_flight == len(flying)
        assert 1 <= limits.concurrency <= most
    assert limits.wait(1, now + AGES) in {0, math.inf}


def rounds(limits: Limits, count: int, share: float, rng: Random, *, second: float = 1.0) -> list[int]:
    """The limit after each round of requests, of which a share meets a rate limit."""
    found, now = [], 0.0
    for _ in range(count):
        now += second
        flying = []
        while limits.wait(1, now) <= 0:
            flying.append(limits.take(1, now))
        for permit in flying:
            if rng.uniform(0, 1) < share:
                limits.sent_away(permit, {}, now + second / 2, None)
            else:
                limits.give_back(permit, {}, now + second / 2, well=True)
        found.append(limits.concurrency)
    return found


def test_without_rate_limits_it_doubles_up_to_the_most() -> None:
    assert rounds(Limits(Ceiling()), 3, 0.0, Random(0)) == [32, 64, 64]


def test_five_in_a_hundred_are_noise() -> None:
    for seed in range(20):
        assert min(rounds(Limits(Ceiling()), 100, 0.05, Random(seed))[3:]) >= 32


def test_true_rate_limits_shrink_it_down_to_one_and_it_grows_by_one_a_round_afterwards() -> None:
    limits = Limits(Ceiling())
    assert rounds(limits, 80, 1.0, Random(0))[-1] == 1
    grown = rounds(limits, 20, 0.0, Random(0), second=100.0)
    assert all(0 <= later - sooner <= 1 for sooner, later in pairwise(grown))
    assert 15 <= grown[-1] <= 21


def test_it_shrinks_once_for_all_that_was_in_flight_together() -> None:
    limits = Limits(Ceiling())
    flying = [limits.take(1, 0.0) for _ in range(16)]
    for permit in flying:
        limits.sent_away(permit, {}, 0.1, 3.0)
    assert limits.concurrency == 8
    assert limits.wait(1, 0.1) == 3.0


def test_shrinkings_in_a_row_leave_the_server_alone_for_longer_and_longer() -> None:
    limits, now, quiet = Limits(Ceiling()), 0.0, list[float]()
    for _ in range(6):
        flying = [limits.take(1, now) for _ in range(limits.concurrency)]
        for permit in flying:
            limits.sent_away(permit, {}, now, None)
        quiet.append(limits.wait(1, now))
        now += quiet[-1]
    assert quiet == [0.0, 1.0, 2.0, 4.0, 8.0, 8.0]


def test_where_one_is_in_flight_at_a_time_the_first_rate_limit_is_heeded() -> None:
    limits = Limits(Ceiling(concurrency=1))
    limits.sent_away(limits.take(1, 0.0), {}, 0.0, 30.0)
    assert limits.wait(1, 0.0) == 30.0


def test_an_estimate_is_settled() -> None:
    limits = Limits(Ceiling(tpm=6000))
    limits.take(300, 0.0)
    assert limits.wait(300, 0.0) > 3
    limits.settle(300, 20, 0.0)
    assert limits.wait(280, 0.0) == 0


def test_where_the_server_says_that_nothing_remains_nothing_is_sent_until_the_reset() -> None:
    for headers, wait in (
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s"}, 60),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "250ms"}, 0.25),
        ({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "9s"}, 0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "soon"}, 0),
        (
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-11-28T13:00:10Z",
                "date": "Sat, 28 Nov 2026 13:00:00 GMT",
            },
            10,
        ),
    ):
        limits = Limits(Ceiling())
        limits.give_back(limits.take(1, 0.0), headers, 0.0, well=True)
        assert limits.wait(1, 0.0) == wait
