"""Requests on the wire: one thread with one asyncio loop, the only file of vsgen that waits asynchronously.

Calls come in from the engine's thread, are moved through their dialogs (`exchange.converse`) under the limits of their
account, and their answers go into the mailbox as they come. The pure rooms decide everything; this one only sends,
reads within bounds, and waits.

What it holds to, whatever a server does:

- a response takes at most the seconds of `Timeouts`, and is at most `LARGEST` bytes long, unpacked;
- a key goes to the origin that it was configured for, and is cut out of whatever comes back from there;
- redirects are followed within that origin only, where they leave the request as it is (307, 308);
- certificates are verified; no cookie is kept; neither proxies nor passwords are taken from the environment or
  ``.netrc``: a proxy is a setting.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import socket
import ssl
import sys
import threading
from collections.abc import Collection, Generator
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import lru_cache
from random import Random
from types import TracebackType
from typing import Any, Final, TypeAlias

import aiohttp
from yarl import URL

from vsgen.backends.endpoint.account import Account
from vsgen.backends.endpoint.address import WireName
from vsgen.backends.endpoint.body import unpacked
from vsgen.backends.endpoint.counted import counted, stated, with_usage, withheld
from vsgen.backends.endpoint.exchange import Came, Patience, Pause, Step, converse
from vsgen.backends.endpoint.hedging import Hedging
from vsgen.backends.endpoint.http import LARGEST, Fault, FaultKind, Request, Response
from vsgen.backends.endpoint.keys import Key
from vsgen.backends.endpoint.limits import Permit
from vsgen.backends.endpoint.reading import quoted
from vsgen.backends.endpoint.settings import Settings, Target
from vsgen.backends.endpoint.wire import Abilities, Said, Usage
from vsgen.errors import CallError, EndpointError, ModelError, VsgenError
from vsgen.flow import refusal
from vsgen.ports import Held, Letterbox, Ticket
from vsgen.values import Answer, Call, Generate

_AHEAD: Final = 2
"""Calls that may be here, for each that may be in flight."""
_HOPS: Final = 3
"""Redirects in a row that are followed."""
_IDLE: Final = 20.0
"""Seconds that an unused connection is kept; servers rarely keep one for less."""
_HANDOVER: Final = 0.001
"""Seconds after which the engine's thread, while it computes, lets the loop's look for what has come: by default five
times as long, in which servers with short replies would wait for new requests."""
_AGAIN: Final = 0.5
"""Seconds after which a thread that ends is looked at again."""


class Transport:
    """The thread, its loop and the connections, shared by all endpoints of a command."""

    def __init__(self, settings: Settings, rng: Random) -> None:
        """Set up; the thread starts with the first call, and ends with the last executor.

        Args:
            settings: How servers are treated.
            rng: Of the pauses' jitter; nothing that is written hangs on it.
        """
        self.settings = settings
        self.rng = rng
        self._accounts: dict[tuple[str, Key | None], Account] = {}
        self._timers: dict[Account, asyncio.TimerHandle] = {}
        self.watch = _Watch(settings.timeouts.total)
        """Of the loop that runs."""
        self._users: set[EndpointExecutor] = set()
        self._session: aiohttp.ClientSession | None = None
        self._thread: threading.Thread | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    def executor(self, target: Target, letters: Letterbox, patience: Patience | None = None) -> EndpointExecutor:
        """An executor that asks this model, and puts answers there.

        Args:
            target: Whom to ask.
            letters: Where answers go.
            patience: With each request; None for that of the settings.
        """
        whose = target.address.origin, target.key
        if whose not in self._accounts:
            self._accounts[whose] = Account(self.settings.ceiling, self.settings.run)
        account = self._accounts[whose]
        user = EndpointExecutor(self, account, target, letters, patience or self.settings.patience)
        self._users.add(user)
        return user

    def held(self) -> Held | None:
        """What requests wait for, apart from replies; see `vsgen.ports.Waiting`."""
        return next((held for user in [*self._users] if (held := user.held()) is not None), None)

    def start(self) -> asyncio.AbstractEventLoop:
        """The loop of the running thread."""
        if self.loop is None:
            self._interval = sys.getswitchinterval()
            sys.setswitchinterval(min(self._interval, _HANDOVER))
            self.loop = asyncio.new_event_loop()
            self.watch = _Watch(self.settings.timeouts.total)
            self._thread = threading.Thread(target=self._run, args=(self.loop,), name="vsgen endpoint", daemon=True)
            atexit.register(self.close)
            self._thread.start()
        return self.loop

    def leave(self, user: EndpointExecutor) -> None:
        """An executor is closed; the last one ends the thread."""
        self._users.discard(user)
        if not self._users:
            self.close()

    def close(self) -> None:
        """Give up all that is under way; the thread has ended when this returns."""
        loop, thread = self.loop, self._thread
        if loop is None or thread is None:
            return
        if thread.is_alive():
            loop.call_soon_threadsafe(loop.stop)
        while thread.is_alive():
            thread.join(_AGAIN)
        self.loop = self._thread = None
        sys.setswitchinterval(self._interval)
        atexit.unregister(self.close)

    def session(self) -> aiohttp.ClientSession:
        """The connections; only within the loop."""
        if self._session is None:
            times = self.settings.timeouts
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=times.connect, sock_read=times.silent),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    def pump(self, account: Account) -> None:
        """Let go whoever may be sent, now and when more may be; only within the loop."""
        loop = asyncio.get_running_loop()
        if timer := self._timers.pop(account, None):
            timer.cancel()
        wait = account.admit(loop.time())
        if wait < float("inf"):
            self._timers[account] = loop.call_later(wait, self.pump, account)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(self._end())
            loop.close()

    async def _end(self) -> None:
        await _given_up(asyncio.all_tasks() - {asyncio.current_task()})
        if self._session is not None:
            await self._session.close()
        self._session = None


class _Watch:
    """Breaks off requests that take too long, with one timer for all: one for each costs a tenth of the request."""

    def __init__(self, seconds: float) -> None:
        """Break off what takes longer than `seconds`, and up to a tenth more."""
        self._seconds = seconds
        self._watched: set[_Watched] = set()
        self._timer: asyncio.TimerHandle | None = None

    def over(self) -> _Watched:
        """A context within which the task that runs is given so long; then it raises TimeoutError."""
        return _Watched(self)

    def add(self, one: _Watched) -> None:
        """Look after it."""
        self._watched.add(one)
        if self._timer is None:
            self._look(asyncio.get_running_loop())

    def drop(self, one: _Watched) -> None:
        """It has ended."""
        self._watched.discard(one)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for one in [one for one in self._watched if now - one.since > self._seconds]:
            self._watched.discard(one)
            one.break_off()
        self._timer = loop.call_later(self._seconds / 10, self._look, loop) if self._watched else None


class _Watched:
    """One request under watch; as `asyncio.timeout`, it takes back the cancellation by which it breaks off."""

    __slots__ = ("_late", "_task", "_watch", "since")

    def __init__(self, watch: _Watch) -> None:
        self._watch = watch
        self._late = False

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        self.since = asyncio.get_running_loop().time()
        self._watch.add(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._watch.drop(self)
        if self._late and self._task is not None and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def break_off(self) -> None:
        """It takes too long."""
        self._late = True
        if self._task is not None:
            self._task.cancel()


class EndpointExecutor:
    """An executor whose calls one model behind a URL answers."""

    def __init__(
        self, transport: Transport, account: Account, target: Target, letters: Letterbox, patience: Patience
    ) -> None:
        """Set up; see `Transport.executor`."""
        self._patience = patience
        self._transport = transport
        self._account = account
        self._target = target
        self._letters = letters
        self._sender = _Sender(transport, target)
        self._new: list[tuple[Ticket, Call]] = []
        self._outbox: list[tuple[Ticket, Answer]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_flight: dict[Ticket, bool] = {}
        """The calls one of whose requests is, and whether what they want is a reply that is drawn."""
        self._submitted = self._answered = 0
        self._hedging = {drawn: Hedging() for drawn in (True, False)} if transport.settings.hedge else {}
        """For requests whose reply is drawn, and for those whose reply is short whatever is asked."""

    @property
    def hedges(self) -> tuple[int, int]:
        """Second requests that were sent, and those of them that were answered first; may be asked in any thread."""
        each = self._hedging.values()
        return sum(one.sent for one in each), sum(one.won for one in each)

    def heed(self, can: Abilities) -> None:
        """Ask from now on what this server can, which was not known before."""
        self._target = replace(self._target, can=can)

    def trust(self) -> None:
        """An earlier run had replies from here: what is left may be refused call by call, and that ends no run."""
        self._account.breaker.replied()

    def submit(self, ticket: Ticket, call: Call) -> None:
        """Take a call; it is begun with after `flush`."""
        self._new.append((ticket, call))
        self._submitted += 1

    def flush(self) -> None:
        """Hand in what was submitted."""
        if self._new:
            new, self._new = self._new, []
            self._transport.start().call_soon_threadsafe(self._begin, new)

    def room(self) -> int:
        """How many more calls it could use now."""
        return _AHEAD * self._account.limits.concurrency - self._submitted + self._answered

    def drawing(self) -> list[tuple[Ticket, int]]:
        """The calls whose replies are on their way; how long they are is not known before they are there."""
        return [(ticket, 0) for ticket, drawn in list(self._in_flight.items()) if drawn]

    def held(self) -> Held | None:
        """What its calls wait for, apart from replies."""
        loop = self._transport.loop
        if loop is None or self._submitted == self._answered:
            return None
        return self._account.held(self._target.address.place, loop.time())

    def cancel(self) -> None:
        """Give up what was handed in; `close` then waits for it."""
        if (loop := self._transport.loop) is not None:
            loop.call_soon_threadsafe(self._give_up)

    def close(self, *, cancel: bool) -> None:
        """Finish what was handed in, or give it up; nothing of it runs any more when this returns."""
        if (loop := self._transport.loop) is not None:
            asyncio.run_coroutine_threadsafe(self._finish(cancel), loop).result()
        self._transport.leave(self)

    def _begin(self, new: list[tuple[Ticket, Call]]) -> None:
        for ticket, call in new:
            task = asyncio.get_running_loop().create_task(self._answer(ticket, call))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _give_up(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _finish(self, cancel: bool) -> None:
        if cancel:
            self._give_up()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._deliver()

    async def _answer(self, ticket: Ticket, call: Call) -> None:
        """Answer one call, exactly once, or say that none will be answered any more."""
        taken = _Taken()
        try:
            answer = await self._answered_by_server(ticket, call, taken)
        except CallError as error:
            answer = with_usage(refusal(error), taken.lost)
        except EndpointError as error:
            self._fail(self._placed(error))
            return
        except VsgenError as error:
            self._fail(error)
            return
        except Exception as error:
            self._fail(ModelError(f"{self._target.name}: {type(error).__name__}: {_line(str(error))}"))
            return
        self._answered += 1
        if not self._outbox:
            asyncio.get_running_loop().call_soon(self._deliver)
        self._outbox.append((ticket, withheld(answer)))

    def _deliver(self) -> None:
        """Put what one turn of the loop has answered into the mailbox at once, so that the engine is woken once."""
        letters, self._outbox = self._outbox, []
        self._letters.put_all(letters)

    def _placed(self, error: EndpointError) -> EndpointError:
        """An error with the server, and what is known of the key and the model."""
        target = self._target
        return EndpointError(f"{target.address.place}: {error}{target.about(error.http)}", http=error.http)

    def _fail(self, error: VsgenError) -> None:
        self._letters.fail(error)
        self._give_up()

    async def _answered_by_server(self, ticket: Ticket, call: Call, taken: _Taken) -> Answer:
        transport, target, loop = self._transport, self._target, asyncio.get_running_loop()
        dialog = target.wire.dialog(call, target.model, target.can)
        talk = converse(dialog, patience=self._patience, rng=transport.rng, now=loop.time())
        step = _moved(talk, None)
        while not isinstance(step, Said):
            if isinstance(step, Pause):
                await self._rest(step)
                step = _moved(talk, Came(None, loop.time()))
            else:
                step = await self._send(talk, ticket, step.request, taken, drawn=isinstance(call, Generate))
        self._account.replied(step.answer, taken.estimated, step.usage + taken.lost, loop.time())
        return counted(step, call, taken.requests, taken.lost)

    async def _send(self, talk: _Talk, ticket: Ticket, request: Request, taken: _Taken, *, drawn: bool) -> Step | Said:
        """Send one request when it may be sent; what its exchange makes of what came."""
        now, account = asyncio.get_running_loop().time, self._account
        permit = await self._permitted(ticket, request.tokens)
        self._in_flight[ticket] = drawn
        what: Response | Fault | None = None
        try:
            if hedging := self._hedging.get(drawn):
                permit, what = await self._hedged(hedging, permit, ticket, request, taken)
            else:
                what = await self._sender.fetch(request)
            step = _moved(talk, Came(what, now()))
        except BaseException:
            taken.came(what, useful=False)
            account.abandon(permit, now())
            raise
        else:
            taken.came(what, useful=not isinstance(step, Pause))
            taken.estimated += account.came(permit, what, step if isinstance(step, Pause) else None, now())
        finally:
            self._in_flight.pop(ticket, None)
            self._transport.pump(account)
        return step

    async def _hedged(
        self, hedging: Hedging, permit: Permit, ticket: Ticket, request: Request, taken: _Taken
    ) -> tuple[Permit, Response | Fault]:
        """What comes of a request, or of a second one where that is answered first, with its permit."""
        loop = asyncio.get_running_loop()
        begun, first = loop.time(), loop.create_task(self._sender.fetch(request))
        second: asyncio.Task[tuple[Permit, Response | Fault]] | None = None
        try:
            await asyncio.wait([first], timeout=hedging.after)
            if not first.done():
                second = loop.create_task(self._second(hedging, ticket, request))
                await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
            if not first.done() and second is not None and _is_useful((came := await second)[1]):
                hedging.won += 1
                hedging.took(loop.time() - begun)
                self._account.abandon(permit, loop.time())
                second = None
                return came
            what = await first
            hedging.took(loop.time() - begun)
            return permit, what
        finally:
            await _given_up([first] if second is None else [first, second])
            if second is not None and not second.cancelled() and second.exception() is None:
                self._account.abandon(second.result()[0], loop.time())
                taken.came(second.result()[1], useful=False)

    async def _second(self, hedging: Hedging, ticket: Ticket, request: Request) -> tuple[Permit, Response | Fault]:
        """Send a request once more when it may be sent."""
        permit = await self._permitted(ticket, request.tokens)
        hedging.sent += 1
        try:
            return permit, await self._sender.fetch(request)
        except BaseException:
            self._account.abandon(permit, asyncio.get_running_loop().time())
            raise

    async def _permitted(self, ticket: Ticket, tokens: int) -> Permit:
        account, loop = self._account, asyncio.get_running_loop()
        permit: asyncio.Future[Permit] = loop.create_future()

        def go(granted: Permit) -> None:
            if permit.done():
                account.abandon(granted, loop.time())
            else:
                permit.set_result(granted)

        give_up = account.queue(ticket, tokens, go)
        self._transport.pump(account)
        try:
            return await permit
        except asyncio.CancelledError:
            if not permit.done() or permit.cancelled():
                give_up()
            else:
                account.abandon(permit.result(), loop.time())
            raise

    async def _rest(self, pause: Pause) -> None:
        woken = asyncio.Event()
        take_back = self._account.rest(woken.set) if pause.blame == "away" and pause.told is None else None
        try:
            async with asyncio.timeout(pause.seconds):
                await woken.wait()
        except TimeoutError:
            pass
        finally:
            if take_back is not None:
                take_back()


@dataclass(slots=True)
class _Taken:
    """What the requests of one call took, apart from what its dialog counts."""

    requests: int = 0
    """That were of use."""
    lost: Usage = field(default_factory=Usage)
    """What the others took."""
    estimated: int = 0
    """Tokens that the requests whose usage servers state were estimated at."""

    def came(self, what: Response | Fault | None, *, useful: bool) -> None:
        """Something came of a request."""
        self.requests += useful
        if not useful and isinstance(what, Response):
            self.lost += stated(what)


class _Sender:
    """Sends requests to one target, and reads what comes back, whatever it is."""

    def __init__(self, transport: Transport, target: Target) -> None:
        self._transport = transport
        self._base = URL(target.address.base, encoded=True)
        self._key = target.key
        wire: WireName = "messages" if target.wire.name == "messages" else "chat"
        self._headers = {
            "accept": "application/json",
            "accept-encoding": "identity",
            "content-type": "application/json",
            "user-agent": "vsgen",
            **(target.key.headers(target.address.origin, wire) if target.key else {}),
        }
        self._urls: dict[str, URL] = {}

    async def fetch(self, request: Request) -> Response | Fault:
        """Send one request; what came back, or why nothing did."""
        try:
            with self._transport.watch.over():
                return await self._fetch(request)
        except aiohttp.ClientHttpProxyError as error:  # its words hold the proxy's password
            return Response(error.status, {"date": formatdate(usegmt=True)})
        except (aiohttp.ClientError, OSError, ValueError) as error:
            kind = _kind(error)
            words = self._hidden(_line(_words(error, kind)))
            return Fault(kind, words, sent=kind not in {"connect", "tls", "no-tls"})

    async def _fetch(self, request: Request) -> Response | Fault:
        url = self._urls.setdefault(request.path, URL(f"{self._base}/{request.path}", encoded=True))
        for _ in range(_HOPS + 1):
            async with self._transport.session().request(
                "POST" if request.body else "GET",
                url,
                data=request.body or None,
                headers={**self._headers, **request.headers} if request.headers else self._headers,
                allow_redirects=False,
                proxy=self._transport.settings.proxy,
            ) as reply:
                if not 300 <= reply.status < 400:
                    return await self._read(reply)
                to = url.join(URL(reply.headers.get("location", "")))
            if reply.status not in {307, 308} or to.origin() != url.origin():
                break
            url = to
        where = self._hidden(_line(to.host or "nowhere"))
        return Fault("redirect", f"HTTP {reply.status} to {where}", sent=True)

    async def _read(self, reply: aiohttp.ClientResponse) -> Response | Fault:
        chunks: list[bytes] = []
        size = reply.content_length or 0  # as it states; counted below
        came = 0
        while max(size, came) <= LARGEST and (chunk := await reply.content.readany()):
            chunks.append(chunk)
            came += len(chunk)
        if max(size, came) > LARGEST:
            reply.close()
            return Fault("too-large", f"a reply of more than {LARGEST:,} bytes", sent=True)
        headers = {name.lower(): value for name, value in reply.headers.items()}
        if "date" not in headers:
            headers["date"] = _date(int(asyncio.get_running_loop().time()))
        try:
            body = unpacked(b"".join(chunks), headers.get("content-encoding", ""), LARGEST)
        except ValueError as problem:
            return Fault("packed", str(problem), sent=True)
        if self._key is not None:
            body = self._hidden(body.decode("latin-1")).encode("latin-1")
        return Response(reply.status, headers, body)

    def _hidden(self, text: str) -> str:
        return self._key.hide(text) if self._key else text


_Talk: TypeAlias = Generator[Step, Came, Said]


def _moved(talk: _Talk, came: Came | None) -> Step | Said:
    """The next step of a conversation, or what it ends with."""
    try:
        return next(talk) if came is None else talk.send(came)
    except StopIteration as end:
        said: Said = end.value
        return said


async def _given_up(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@lru_cache(maxsize=1)
def _date(_: int) -> str:
    """Now, as the header ``date`` has it; made once in a second of the loop's clock, in which many responses come."""
    return formatdate(usegmt=True)


def _is_useful(what: Response | Fault) -> bool:
    """Whether a response is one of status 2xx, whatever its dialog makes of it."""
    return isinstance(what, Response) and what.status < 300


def _line(text: str) -> str:
    return quoted(text.encode(errors="replace"))


def _kind(error: Exception) -> FaultKind:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return "tls"
        case aiohttp.ClientSSLError():
            return "no-tls"
        case aiohttp.ConnectionTimeoutError() | aiohttp.ClientConnectorError():
            return "connect"
        case TimeoutError():
            return "timeout"
        case OSError() | aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError():
            return "reset"
        case _:
            return "protocol"


def _reason(error: OSError) -> str:
    """What the system says, in place of asyncio's own words."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _handshake(error: Exception) -> str:
    """Why there is no TLS, as the TLS library says it: its numbers are not the system's."""
    match error:
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as why):
            return why.verify_message
        case aiohttp.ClientSSLError(os_error=ssl.SSLError(reason=str(reason))):
            return reason.replace("_", " ").lower()
        case _:
            return type(error).__name__


def _words(error: Exception, kind: FaultKind) -> str:
    """What happened, without the addresses and objects that the library's words are full of."""
    match kind, error:
        case "connect", aiohttp.ClientConnectorError():
            return f"no connection ({_reason(error.os_error)})"
        case "connect", _:
            return "no connection in time"
        case "tls" | "no-tls", _:
            return f"no TLS connection ({_handshake(error)})"
        case "timeout", _:
            return "no reply in time"
        case "reset", _:
            return "the connection broke"
        case _:
            words = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
            return words or type(error).__name__
