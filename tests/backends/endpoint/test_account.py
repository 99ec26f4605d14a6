"""An account sends the oldest first, and its breaker opens after what is stated and not before."""

from __future__ import annotations

import math

import pytest

from vsgen.backends.endpoint.account import Account
from vsgen.backends.endpoint.breaker import Breaker, Run
from vsgen.backends.endpoint.exchange import Pause
from vsgen.backends.endpoint.http import Fault, Response
from vsgen.backends.endpoint.limits import Ceiling, Permit
from vsgen.backends.endpoint.wire import Usage
from vsgen.errors import EndpointError, OptionError
from vsgen.ports import Held, Ticket
from vsgen.values import Completion, Refused, Verified

AWAY = Pause(1.0, "no connection", "away")
OK = Response(200)
NOWHERE = Fault("connect", "no connection", sent=False)


def sent(account: Account, flow: int, tokens: int = 1) -> list[Permit]:
    permits: list[Permit] = []
    account.queue(Ticket(flow, flow), tokens, permits.append)
    return permits


def _admitted(account: Account, tokens: int) -> list[Permit]:
    permits = sent(account, 0, tokens)
    account.admit(0.0)
    return permits


def test_the_oldest_ticket_is_sent_first_and_no_more_than_may() -> None:
    account = Account(Ceiling(concurrency=2), Run())
    waiting = {flow: sent(account, flow) for flow in (3, 1, 2)}
    assert account.admit(0.0) == math.inf
    assert [flow for flow, permits in waiting.items() if permits] == [1, 2]
    account.came(waiting[1][0], Response(200), None, 1.0)
    waiting[0] = sent(account, 0)
    account.admit(1.0)
    assert waiting[0]
    assert not waiting[3]


def test_who_gives_up_waiting_is_not_sent_and_takes_nothing() -> None:
    account, permits = Account(Ceiling(concurrency=1, rpm=20), Run()), list[Permit]()
    give_up = account.queue(Ticket(1, 1), 1, permits.append)
    later = sent(account, 2)
    give_up()
    account.admit(0.0)
    assert later and not permits
    assert account.limits.in_flight == 1


def test_only_what_was_spent_counts_against_tokens_a_minute() -> None:
    account = Account(Ceiling(tpm=6000), Run())
    first, second = sent(account, 1, 300), sent(account, 2, 300)
    assert account.admit(0.0) > 3
    account.came(first[0], Response(429), Pause(1.0, "", "rate"), 0.0)
    assert account.admit(0.0) == math.inf
    account.came(second[0], Response(200), None, 0.0)
    account.replied(Completion(""), 300, Usage(20, 10), 0.0)
    third = sent(account, 3, 270)
    account.admit(0.0)
    assert third


def test_what_an_attempt_in_vain_did_not_take_is_given_back_once() -> None:
    account = Account(Ceiling(tpm=6000), Run())
    unused = Fault("reset", "the connection broke", sent=True)
    again = Pause(1.0, "", "request")
    for what, step, settled in ((Response(429), again, 0), (NOWHERE, AWAY, 0), (unused, again, 0), (OK, again, 50)):
        (permit,) = _admitted(account, 50)
        assert account.came(permit, what, step, 0.0) == settled
    (permit,) = _admitted(account, 50)
    assert account.came(permit, OK, None, 0.0) == 50
    account.replied(Completion(""), 100, Usage(60, 40), 0.0)
    assert account.limits.wait(150, 0.0) == 0, "of 300: 50 that nobody states, and 100"
    assert account.limits.wait(151, 0.0) > 0


def test_who_rests_because_the_server_is_away_is_woken_by_the_first_that_comes_back() -> None:
    account, woken = Account(Ceiling(), Run()), list[str]()
    account.rest(lambda: woken.append("a"))
    take_back = account.rest(lambda: woken.append("b"))
    take_back()
    permits = [sent(account, flow) for flow in range(2)]
    account.admit(0.0)
    account.came(permits[0][0], NOWHERE, AWAY, 0.0)
    assert woken == []
    account.came(permits[1][0], Response(200), None, 0.0)
    assert woken == ["a"]


def failing(breaker: Breaker, seconds: float, *, step: float = 0.1, reached: bool = True) -> None:
    for number in range(round(seconds / step) + 1):
        breaker.failed("HTTP 503", number * step, reached=reached)


def test_an_outage_is_known_after_a_second_and_over_with_the_first_that_comes_back() -> None:
    account = Account(Ceiling(), Run())
    permits = [sent(account, flow) for flow in range(3)]
    account.admit(0.0)
    account.came(permits[0][0], NOWHERE, AWAY, 1.0)
    assert account.held("host", 1.5) is None
    account.came(permits[1][0], NOWHERE, AWAY, 2.0)
    assert account.held("host", 4.0) == Held("outage", "host", 3.0, "no connection")
    account.came(permits[2][0], Response(200), None, 5.0)
    assert account.held("host", 5.0) is None


def test_a_limit_is_known_by_whose_it_is_and_how_long_it_lasts() -> None:
    account = Account(Ceiling(rpm=20), Run())
    first, second = sent(account, 1), sent(account, 2)
    assert account.admit(0.0) == pytest.approx(60 / 19)
    own = account.held("host", 1.0)
    assert own is not None and own.by == "own limit" and own.seconds == pytest.approx(60 / 19 - 1)
    account.came(first[0], Response(429, {"retry-after": "12"}), Pause(12.5, "HTTP 429", "rate", 12.0), 1.0)
    theirs = account.held("host", 2.0)
    assert theirs is not None and theirs.by == "rate limit" and theirs.seconds == pytest.approx(11.5)
    account.admit(14.0)
    assert second
    assert account.held("host", 14.0) is None


def test_an_outage_of_20_seconds_passes_however_many_fail() -> None:
    breaker = Breaker(Run())
    breaker.worked()
    failing(breaker, 20.0, step=0.01, reached=False)


def test_an_outage_of_a_minute_opens_it_and_the_message_says_how_to_go_on() -> None:
    breaker = Breaker(Run())
    with pytest.raises(EndpointError, match=r"\d+ failures in a row over 60 s, the last: HTTP 503; go on with --res"):
        failing(breaker, 61.0)


def test_few_failures_never_open_it() -> None:
    failing(Breaker(Run()), 800.0, step=100.0)


def test_anything_that_works_begins_the_count_anew() -> None:
    breaker = Breaker(Run())
    for _ in range(5):
        failing(breaker, 50.0)
        breaker.worked()


def test_an_address_where_nobody_ever_answered_is_given_up_soon() -> None:
    with pytest.raises(EndpointError, match="HTTP 503; is the server running there, and is the URL right"):
        failing(Breaker(Run()), 6.0, reached=False)


def test_a_server_that_refuses_every_request_is_given_up_unless_it_ever_replied() -> None:
    account = Account(Ceiling(), Run())
    for _ in range(19):
        account.replied(Refused("refused", "no such parameter"), 0, Usage(), 0.0)
    with pytest.raises(EndpointError, match="refuses every request, the last: no such parameter"):
        account.replied(Refused("refused", "no such parameter"), 0, Usage(), 0.0)
    account.replied(Completion("a"), 0, Usage(), 0.0)
    for _ in range(50):
        account.replied(Refused("refused", "filtered"), 0, Usage(), 0.0)


def test_an_examination_proves_nothing_about_the_calls_of_a_run() -> None:
    account = Account(Ceiling(), Run())
    account.replied(Verified(ok=True), 0, Usage(), 0.0)
    with pytest.raises(EndpointError, match="refuses every request"):
        for _ in range(Run().refused):
            account.replied(Refused("refused", "no such parameter"), 0, Usage(), 0.0)


def test_a_request_that_no_minute_can_hold_is_refused_and_does_not_wait() -> None:
    account = Account(Ceiling(tpm=300), Run())
    assert _admitted(account, 300)
    with pytest.raises(OptionError, match="--tpm 300: one request takes about 301 tokens"):
        sent(account, 1, 301)
