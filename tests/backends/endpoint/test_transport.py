"""Every call is answered exactly once, whatever the server does, and a key goes nowhere else."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from tests.endpoint.plan import Plan, Trouble
from tests.endpoint.server import Server, serving
from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.breaker import Run
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.exchange import Patience
from vsgen.backends.endpoint.keys import Key
from vsgen.backends.endpoint.limits import Ceiling
from vsgen.backends.endpoint.settings import Settings, Target, Timeouts
from vsgen.backends.endpoint.transport import EndpointExecutor, Transport, _kind, _words
from vsgen.backends.endpoint.wire import Abilities, Dialog, Said, Unreadable, Wire
from vsgen.engine.mailbox import Mailbox
from vsgen.errors import EndpointError, VsgenError
from vsgen.ports import Ticket
from vsgen.values import Answer, Call, Completion, Generate, Message, Prompt, Refused, Usage

SECRET = "sk-secret-0123456789"
FAST = Settings(patience=Patience(seconds=0.0, first=0.001, longest=0.01), timeouts=Timeouts(5.0, 0.5, 5.0))
WAIT = 60.0


def call(number: int) -> Generate:
    return Generate(Prompt((Message("user", f"Question {number}"),)), seed=number)


class Client:
    """An executor and its mailbox."""

    def __init__(self, url: str, settings: Settings = FAST, wire: Wire | None = None) -> None:
        address = read_address(url)
        self.mailbox = Mailbox()
        self.transport = Transport(settings, Random(0))
        target = Target(address, Key(SECRET, address.origin), wire or Chat(), "echo", Abilities(seed=True))
        self.executor: EndpointExecutor = self.transport.executor(target, self.mailbox)

    def ask(self, count: int) -> dict[Ticket, Answer]:
        for number in range(count):
            self.executor.submit(Ticket(number, number), call(number))
        self.executor.flush()
        return self.answers(count)

    def answers(self, count: int) -> dict[Ticket, Answer]:
        found: list[tuple[Ticket, Answer]] = []
        deadline = time.monotonic() + WAIT
        while len(found) < count:
            assert time.monotonic() < deadline, "an answer did not come"
            found += self.mailbox.wait(WAIT)  # a bell that rang for letters already taken gives none
        assert len(dict(found)) == len(found) == count
        return dict(found)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("vsgen")]


def asked(plan: Plan, count: int, settings: Settings = FAST) -> tuple[list[Answer], Server]:
    """The answers to so many calls, in their order."""
    with serving(plan) as server:
        client = Client(server.url, settings)
        try:
            found = client.ask(count)
        finally:
            client.executor.close(cancel=True)
        return [answer for _, answer in sorted(found.items())], server


def texts(answers: list[Answer]) -> list[str]:
    assert all(isinstance(answer, Completion) for answer in answers), answers
    return [answer.text for answer in answers if isinstance(answer, Completion)]


def sum_of(answers: dict[Ticket, Answer]) -> Usage:
    usages = [answer.usage for answer in answers.values() if isinstance(answer, Completion | Refused)]
    return sum((usage for usage in usages if usage), Usage())


class Picky(Chat):
    """Reads no reply at the first try."""

    def dialog(self, call: Call, model: str, can: Abilities) -> Dialog:
        inner = super().dialog(call, model, can)
        request = next(inner)
        yield request
        response = yield Unreadable("not to my taste")
        try:
            inner.send(response)
        except StopIteration as end:
            said: Said = end.value
            return said
        raise AssertionError("one request is enough")


def test_what_a_failed_attempt_took_counts_where_the_server_states_it() -> None:
    with serving(Plan()) as server:
        client = Client(server.url, wire=Picky())
        answers = client.ask(2)
        client.executor.close(cancel=False)
    assert server.counts.requests == 4
    assert sum_of(answers) == Usage(40, 20)
    assert all(isinstance(answer, Completion) and answer.count == 5 for answer in answers.values())


def test_what_a_refusal_took_counts() -> None:
    answers, _ = asked(Plan(shares={"filtered": 1.0}), 1)
    assert isinstance(answers[0], Refused) and answers[0].usage == Usage(10, 5)


def test_calls_are_answered_over_few_connections_and_tokens_are_counted() -> None:
    with serving(Plan(latency=0.01)) as server:
        client = Client(server.url, replace(FAST, ceiling=Ceiling(concurrency=8, start=8)))
        assert client.executor.room() == 16
        answers = client.ask(40)
        assert client.executor.room() == 16
        client.executor.close(cancel=False)
    assert len(set(texts(list(answers.values())))) == 40
    assert sum_of(answers) == Usage(400, 200)
    assert server.counts.requests == sum(server.counts.served.values()) == 40
    assert server.counts.together == 8
    assert len(server.counts.connections) == 8
    assert server.counts.keys == {f"Bearer {SECRET}": 40}


MENDED: list[Trouble] = ["429", "500", "503", "reset", "hang", "garbage", "type", "error-200", "cut", "huge", "bomb"]


@pytest.mark.parametrize("trouble", MENDED)
def test_what_goes_wrong_once_is_asked_again(trouble: Trouble) -> None:
    answers, server = asked(Plan(script=(trouble, trouble, None, trouble)), 3)
    assert len(set(texts(answers))) == 3
    assert server.counts.troubles[trouble] == 3
    assert sorted(server.counts.served.values()) == [1, 1, 1]


@pytest.mark.parametrize("trouble", ["500", "hang", "garbage", "type", "error-200", "cut", "huge"])
def test_what_always_goes_wrong_is_refused_with_its_reason_and_nothing_is_invented(trouble: Trouble) -> None:
    settings = replace(FAST, timeouts=Timeouts(5.0, 0.05, 5.0))
    answers, _ = asked(Plan(shares={trouble: 1.0}), 2, settings)
    assert all(isinstance(answer, Refused) and "6 tries" in answer.problem for answer in answers), answers


@pytest.mark.parametrize("trouble", ["drip", "gzip"])
def test_replies_that_come_slowly_or_packed_are_read(trouble: Trouble) -> None:
    answers, server = asked(Plan(shares={trouble: 1.0}), 2)
    assert all(text.startswith("reply to ") for text in texts(answers))
    assert server.counts.requests == 2


def test_what_a_server_cuts_and_what_it_filters_is_known() -> None:
    answers, _ = asked(Plan(script=("length", "filtered")), 2)
    cut = [answer for answer in answers if isinstance(answer, Completion)]
    assert [answer.stopped for answer in cut] == [False]
    assert len([answer for answer in answers if isinstance(answer, Refused)]) == 1


@pytest.mark.parametrize("trouble", ["429-after", "429-date"])
def test_a_server_is_left_alone_for_as_long_as_it_asks(trouble: Trouble) -> None:
    times: list[float] = []
    with serving(Plan(script=(trouble,))) as server:
        client = Client(server.url)
        loop = client.transport.start()
        times.append(loop.time())
        client.ask(1)
        times.append(loop.time())
        client.executor.close(cancel=True)
    assert times[1] - times[0] >= (1.0 if trouble == "429-after" else 0.0)  # a date has whole seconds
    assert server.counts.requests == 2


def test_a_server_that_takes_four_at_once_gets_no_more_in_the_end() -> None:
    settings = replace(FAST, ceiling=Ceiling(concurrency=32, start=32), patience=replace(FAST.patience, longest=0.05))
    answers, server = asked(Plan(together=4, latency=0.01), 80, settings)
    assert len(set(texts(answers))) == 80
    assert sum(server.counts.served.values()) == 80
    assert server.counts.troubles["429"] < 200


def failure(url: str, settings: Settings = FAST) -> VsgenError:
    client = Client(url, settings)
    try:
        with pytest.raises(VsgenError) as raised:
            client.ask(5)
    finally:
        client.executor.close(cancel=True)
    return raised.value


def test_a_key_that_is_refused_ends_the_run_and_is_not_in_the_message() -> None:
    with serving(Plan(key="another")) as server:
        error = failure(server.url)
    assert isinstance(error, EndpointError)
    assert "HTTP 401 (It went wrong): the key is missing or not accepted; " in str(error)
    assert "the key that was sent is from " in str(error)
    assert SECRET not in repr(error)


def test_a_redirect_to_another_host_is_refused_and_no_key_goes_there() -> None:
    with serving(Plan()) as elsewhere:
        moved = elsewhere.url.replace("127.0.0.1", "127.0.0.1").replace("/v1", "/v1/chat/completions")
        with serving(Plan(shares={"redirect": 1.0}, elsewhere=moved)) as server:
            error = failure(server.url)
    assert "HTTP 307 to 127.0.0.1: redirects to another place are not followed" in str(error)
    assert elsewhere.counts.requests == 0


def test_a_redirect_within_the_server_is_followed_with_the_request_as_it_is() -> None:
    answers, server = asked(Plan(script=("redirect",), elsewhere="/v1/chat/completions"), 1)
    assert len(texts(answers)) == 1
    assert server.counts.keys == {f"Bearer {SECRET}": 2}


def test_redirects_in_a_circle_end_the_run() -> None:
    with serving(Plan(shares={"redirect": 1.0}, elsewhere="/v1/chat/completions")) as server:
        assert "HTTP 307" in str(failure(server.url))


def test_a_server_that_repeats_the_key_does_not_get_it_into_a_reply() -> None:
    answers, _ = asked(Plan(shares={"echo-key": 1.0}), 1)
    (text,) = texts(answers)
    assert SECRET not in text
    assert "[key]" in text


def test_an_address_where_nobody_answers_ends_the_run_with_the_remedy() -> None:
    with serving(Plan()) as server:
        url = server.url
    error = failure(url, replace(FAST, run=Run(unreached=0.05)))
    place = url.removeprefix("http://").removesuffix("/v1")
    assert str(error) == (
        f"{place}: no connection (Connection refused); is the server running there, and is the URL right?"
    )


def test_a_server_without_tls_and_a_certificate_of_its_own_are_told_apart() -> None:
    with serving(Plan()) as server:
        plain = str(failure(server.url.replace("http://", "https://"), FAST))
    assert "no TLS connection (wrong version number): is it a server without TLS?" in plain
    key = ConnectionKey("host", 443, True, True, None, None, None)
    why = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    why.verify_message = "self-signed certificate"
    error = aiohttp.ClientConnectorCertificateError(key, why)
    assert _words(error, _kind(error)) == "no TLS connection (self-signed certificate)"


def test_the_key_is_in_no_representation() -> None:
    client = Client("http://127.0.0.1:9/v1")
    for one in (client.transport, client.executor, client.executor._target, client.executor._sender):
        assert SECRET not in repr(one)
    client.executor.close(cancel=True)


def test_what_is_given_up_ends_at_once_and_answers_nothing() -> None:
    with serving(Plan(shares={"hang": 1.0})) as server:
        client = Client(server.url, Settings())
        for number in range(20):
            client.executor.submit(Ticket(number, number), call(number))
        client.executor.flush()
        client.executor.cancel()
        client.executor.close(cancel=True)
        assert client.mailbox.wait(0) == []
    assert server.counts.together <= 16


def test_what_was_handed_in_is_finished_where_it_is_not_given_up() -> None:
    with serving(Plan(latency=0.02)) as server:
        client = Client(server.url)
        for number in range(50):
            client.executor.submit(Ticket(number, number), call(number))
        client.executor.flush()
        client.executor.close(cancel=False)
        assert len(client.answers(50)) == 50


def test_a_server_that_dies_for_a_second_costs_that_second() -> None:
    answers, server = asked(
        Plan(dead=(0.1, 1.0), latency=0.02), 300, replace(FAST, ceiling=Ceiling(concurrency=8, start=8))
    )
    assert len(set(texts(answers))) == 300
    assert sum(server.counts.served.values()) <= 308


def test_two_models_of_one_server_share_its_limits() -> None:
    with serving(Plan(latency=0.01)) as server:
        client = Client(server.url, replace(FAST, ceiling=Ceiling(concurrency=3)))
        other = client.transport.executor(client.executor._target, client.mailbox)
        for number in range(20):
            (client.executor, other)[number % 2].submit(Ticket(number, number), call(number))
        client.executor.flush()
        other.flush()
        client.answers(20)
        client.executor.close(cancel=False)
        other.close(cancel=False)
    assert server.counts.together == 3


def test_a_slow_request_gets_a_second_one_whose_reply_counts_once() -> None:
    settings = replace(FAST, ceiling=Ceiling(8, 8), hedge=True, timeouts=Timeouts(5.0, 9.0, 9.0))
    with serving(Plan(latency=0.02, stragglers=(0.03, 2.0), seed=5)) as server:
        client = Client(server.url, settings)
        answers = client.ask(200)
        sent, won = client.executor.hedges
        client.executor.close(cancel=False)
    assert len(set(texts(list(answers.values())))) == 200
    assert 0 < won <= sent <= 0.05 * 200 + 4
    assert server.counts.requests == 200 + sent
    assert client.executor._account.limits.in_flight == 0


def test_each_key_of_a_server_has_limits_of_its_own() -> None:
    with serving(Plan(latency=0.05)) as server:
        client = Client(server.url, replace(FAST, ceiling=Ceiling(concurrency=3)))
        target = client.executor._target
        same, other = (replace(target, key=Key(secret, target.address.origin)) for secret in (SECRET, "sk-another"))
        executors = [client.executor, *(client.transport.executor(one, client.mailbox) for one in (same, other))]
        for number in range(36):
            executors[number % 3].submit(Ticket(number, number), call(number))
        for executor in executors:
            executor.flush()
        client.answers(36)
        for executor in executors:
            executor.close(cancel=False)
    assert server.counts.together == 6


def test_a_reply_that_never_comes_to_its_end_is_given_up_in_time() -> None:
    answers, server = asked(Plan(shares={"drip": 1.0}), 2, replace(FAST, timeouts=Timeouts(5.0, 0.5, 0.05)))
    assert all(isinstance(answer, Refused) and "no reply in time" in answer.problem for answer in answers), answers
    assert server.counts.requests == 12


def test_a_rate_limit_makes_no_room_for_tokens_that_were_not_given_back() -> None:
    with serving(Plan(script=("429",) * 3)) as server:
        client = Client(server.url, replace(FAST, ceiling=Ceiling(tpm=60_000)))
        bucket = client.executor._account.limits._tokens
        assert bucket is not None
        began = time.monotonic()
        bucket.take(2000, began)
        client.ask(1)
        client.executor.close(cancel=False)
    assert bucket._level <= 1000 - 15 + bucket._rate * (time.monotonic() - began)


def test_a_thread_that_is_begun_anew_watches_over_its_requests() -> None:
    settings = replace(FAST, timeouts=Timeouts(5.0, 600.0, 0.4), patience=Patience(1, 0.0, first=0.001))
    with serving(Plan(script=(None, "hang"))) as server:
        client = Client(server.url, settings)
        client.ask(1)
        client.executor.close(cancel=False)
        executor = client.transport.executor(client.executor._target, client.mailbox)
        executor.submit(Ticket(1, 1), call(1))
        executor.flush()
        (answer,) = client.answers(1).values()
        executor.close(cancel=False)
    assert isinstance(answer, Refused) and "no reply in time" in answer.problem


def test_the_oldest_ticket_is_sent_first() -> None:
    with serving(Plan(latency=0.005)) as server:
        client = Client(server.url, replace(FAST, ceiling=Ceiling(concurrency=1)))
        for number in reversed(range(12)):
            client.executor.submit(Ticket(number, number), call(number))
        client.executor.flush()
        order = list(client.answers(12))
        client.executor.close(cancel=False)
    assert [ticket.flow for ticket in order[1:]] == sorted(ticket.flow for ticket in order[1:])


def test_what_is_in_flight_and_what_it_waits_for_can_be_asked_in_any_thread() -> None:
    with serving(Plan(script=("429-after",), latency=0.2)) as server:
        client = Client(server.url)
        assert (client.executor.drawing(), client.transport.held()) == ([], None)
        client.executor.submit(Ticket(7, 0), call(7))
        client.executor.flush()
        seen = []
        deadline = time.monotonic() + WAIT
        while not (letters := client.mailbox.wait(0.01)):
            assert time.monotonic() < deadline, "an answer did not come"
            held = client.transport.held()
            seen.append((client.executor.drawing(), held and held.by))
        client.executor.close(cancel=False)
    assert [ticket for ticket, _ in letters] == [Ticket(7, 0)]
    assert {by for _, by in seen} == {None, "rate limit"}
    assert {tuple(drawing) for drawing, _ in seen} == {(), ((Ticket(7, 0), 0),)}
    assert client.executor.drawing() == []
