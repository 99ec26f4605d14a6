"""Every request ends exactly once: used, given up, or with the run; in bounded time, never sooner than was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.backends.endpoint.exchange import Came, Patience, Pause, Send, converse
from vsgen.backends.endpoint.http import Fault, Request, Response
from vsgen.backends.endpoint.retry_after import retry_after
from vsgen.backends.endpoint.wire import Dialog, Said, Unreadable, asked
from vsgen.errors import CallError, EndpointError
from vsgen.values import Completion

WELL = Response(200, body=b"well")
PATIENCE = Patience()


def read(response: Response) -> str:
    if response.status == 200 and response.body != b"well":
        raise Unreadable("not JSON")
    return f"{response.status} {response.body.decode()}"


def dialog(requests: int = 1, *, optional: bool = False) -> Dialog:
    texts = []
    for number in range(requests):
        texts.append((yield from asked(Request("chat/completions", b"%d" % number, optional=optional), read)))
    return Said(Completion("; ".join(texts)))


class Life:
    """A conversation moved to its end, with a clock that only its pauses and its server's seconds move."""

    def __init__(
        self,
        serve: Callable[[float], Response | Fault],
        *,
        requests: int = 1,
        seed: int = 0,
        optional: bool = False,
    ) -> None:
        self.now = 0.0
        self.sent: list[bytes] = []
        self.pauses: list[Pause] = []
        self.said: Said | None = None
        self.error: CallError | EndpointError | None = None
        talk = converse(dialog(requests, optional=optional), patience=PATIENCE, rng=Random(seed), now=0.0)
        try:
            step = next(talk)
            while True:
                what: Response | Fault | None = None
                if isinstance(step, Send):
                    self.sent.append(step.request.body)
                    what = serve(self.now)
                else:
                    self.pauses.append(step)
                    self.now += step.seconds
                step = talk.send(Came(what, self.now))
        except StopIteration as end:
            self.said = end.value
        except (CallError, EndpointError) as error:
            self.error = error


def in_turn(*whats: Response | Fault) -> Callable[[float], Response | Fault]:
    """Serves these, and then the last of them for ever."""
    rest: Iterator[Response | Fault] = iter(whats)
    return lambda _: next(rest, whats[-1])


FAULTS = st.builds(
    Fault, st.sampled_from(("connect", "timeout", "reset", "too-large", "protocol")), st.text(), st.booleans()
)
HEADERS = st.fixed_dictionaries(
    {}, optional={"retry-after": st.sampled_from(("0", "1", "7.5", "119", "3600", "x", "-1"))}
)
RESPONSES = st.builds(
    Response,
    st.sampled_from((200, 400, 401, 404, 408, 409, 413, 422, 425, 429, 500, 501, 502, 503, 504, 529, 599)),
    HEADERS,
    st.sampled_from((b"well", b"", b"{", b'{"error": {"message": "no"}}')),
)


@given(st.lists(RESPONSES | FAULTS, min_size=1), st.integers(1, 3), st.integers(0, 9))
def test_every_life_ends_once_in_bounded_time_and_with_bounded_pauses(
    whats: list[Response | Fault], requests: int, seed: int
) -> None:
    life = Life(in_turn(*whats), requests=requests, seed=seed)
    assert (life.said is None) != (life.error is None)
    longest = PATIENCE.asked + PATIENCE.longest
    assert all(0 <= pause.seconds <= longest and pause.seconds >= (pause.told or 0) for pause in life.pauses)
    assert life.now <= requests * (PATIENCE.limited + longest)


@given(st.integers(0, 99))
def test_without_a_word_of_the_server_pauses_are_jittered_below_a_bound_that_doubles(seed: int) -> None:
    life = Life(lambda now: Response(500) if now < 25 else WELL, seed=seed)
    bounds = [min(8.0, 0.5 * 2**i) for i in range(len(life.pauses))]
    assert all(pause.seconds <= bound for pause, bound in zip(life.pauses, bounds, strict=True))
    assert life.said is not None


def test_what_comes_back_well_is_sent_once() -> None:
    life = Life(in_turn(WELL), requests=3)
    assert life.sent == [b"0", b"1", b"2"]
    assert not life.pauses
    assert life.said == Said(Completion("200 well; 200 well; 200 well"))


@pytest.mark.parametrize("status", [400, 413, 422, 501, 451])
def test_a_status_that_blames_one_request_is_the_dialogs(status: int) -> None:
    life = Life(in_turn(Response(status, body=b"no")))
    assert life.said == Said(Completion(f"{status} no"))
    assert len(life.sent) == 1


@pytest.mark.parametrize("status", [401, 402, 403, 404, 405, 407, 410])
def test_a_status_that_every_request_would_have_ends_the_run_at_once(status: int) -> None:
    life = Life(in_turn(Response(status, body=b'{"error": {"message": "Incorrect \\u001b[31mkey"}}')))
    assert isinstance(life.error, EndpointError)
    assert str(life.error).startswith(f"HTTP {status} (Incorrect \\x1b[31mkey): ")
    assert len(life.sent) == 1


@pytest.mark.parametrize("status", [404, 405])
def test_that_there_is_no_route_is_an_answer_where_that_is_the_question(status: int) -> None:
    assert isinstance(Life(lambda _: Response(status)).error, EndpointError)
    life = Life(lambda _: Response(status), optional=True)
    assert life.said == Said(Completion(f"{status} "))


def test_no_credit_is_no_rate_limit() -> None:
    body = b'{"error": {"message": "You exceeded your current quota", "type": "insufficient_quota"}}'
    life = Life(in_turn(Response(429, {"retry-after": "1"}, body)))
    assert isinstance(life.error, EndpointError)
    assert "no credit" in str(life.error)


def test_a_text_that_a_gateway_flags_is_refused_alone() -> None:
    assert Life(in_turn(Response(403, body=b"your input was flagged"))).said is not None


def test_a_rate_limit_costs_no_tries() -> None:
    life = Life(in_turn(*[Response(429)] * 50, WELL))
    assert life.said is not None
    assert {pause.blame for pause in life.pauses} == {"rate"}


def test_a_rate_limit_that_never_lifts_ends_the_run() -> None:
    life = Life(in_turn(Response(429, {"retry-after": "60"})))
    assert isinstance(life.error, EndpointError)
    assert "--resume" in str(life.error)


def test_a_server_that_asks_for_an_hour_ends_the_run() -> None:
    life = Life(in_turn(Response(429, {"retry-after": "3600"})))
    assert isinstance(life.error, EndpointError)
    assert "3,600 s: go on later with --resume" in str(life.error)
    assert not life.pauses


@given(st.integers(0, 99), st.sampled_from([Fault("connect", "no", sent=False), Response(502), Response(503)]))
def test_an_outage_of_20_seconds_costs_little_more_than_itself(seed: int, away: Response | Fault) -> None:
    life = Life(lambda now: away if now < 20 else WELL, seed=seed)
    assert life.said is not None
    assert life.now <= 20 + PATIENCE.longest


def test_a_server_that_stays_away_is_given_up_long_after_the_breaker_has_opened() -> None:
    life = Life(in_turn(Fault("connect", "no connection", sent=False)))
    assert isinstance(life.error, CallError)
    assert life.now > PATIENCE.away - PATIENCE.longest


@pytest.mark.parametrize("what", [Response(200, body=b"{"), Fault("too-large", "a reply of 9 MB", sent=True)])
def test_what_will_not_pass_by_itself_is_given_up_after_some_tries(what: Response | Fault) -> None:
    life = Life(in_turn(what))
    assert isinstance(life.error, CallError)
    assert len(life.sent) == PATIENCE.tries


@pytest.mark.parametrize("what", [Response(500), Fault("timeout", "no reply", sent=True)])
def test_what_may_pass_is_tried_for_a_while_however_often_that_is(what: Response | Fault) -> None:
    life = Life(in_turn(what))
    assert isinstance(life.error, CallError)
    assert len(life.sent) >= PATIENCE.tries
    assert life.now >= PATIENCE.seconds


def test_redirects_and_untrusted_certificates_end_the_run() -> None:
    for kind in ("redirect", "tls", "no-tls"):
        life = Life(in_turn(Fault(kind, "host", sent=False)))
        assert isinstance(life.error, EndpointError)


def test_dates_are_compared_with_the_servers_own_clock() -> None:
    headers = {"retry-after": "Sat, 28 Nov 2026 13:00:10 GMT", "date": "Sat, 28 Nov 2026 13:00:00 GMT"}
    assert retry_after(headers) == 10
    assert retry_after({"retry-after": headers["retry-after"]}) is None
    assert retry_after({"retry-after": headers["date"], "date": headers["retry-after"]}) == 0
    assert retry_after({"retry-after": "9", "retry-after-ms": "250"}) == 0.25
    assert retry_after({"retry-after": "1e999"}) is None


@given(st.text())
def test_no_header_breaks_the_reader(text: str) -> None:
    seconds = retry_after({"retry-after": text, "date": text})
    assert seconds is None or seconds >= 0
