"""The life of a request, without a socket and without a clock: send, pause, send again, give up.

Every request of a dialog ends in one of four ways, and exactly once:

- *used*: a response of status 2xx, or one whose status blames this one request, goes to the dialog;
- *again*: the server or the way to it failed, or the dialog cannot read the response. What is asked of a model has no
  effect beside its cost, so that all of this is safe to repeat; a repeated request may be paid twice;
- *given up*: too often again. That is a `CallError`, the refusal of one call, and the others go on;
- *ended*: every other request would fare alike (a wrong key, an unknown model, no credit, a redirect elsewhere). That
  is an `EndpointError`, which ends the run; it can be resumed.

What counts as too often depends on who is to blame. A rate limit blames nobody and only costs time. A server that is
away (no connection, 502, 503, 504, 529) has as long as the breaker gives it. Only what may lie in the request itself
(500, a time-out, a reset, a response that cannot be read) has a number of tries.

Pauses are exponential with full jitter: uniform between zero and a bound that doubles
(https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). Where the server says how long to wait, the
pause is that and a little jitter, so that those who were sent away together do not come back together.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, NamedTuple, TypeAlias

from vsgen.backends.endpoint.http import Fault, Request, Response
from vsgen.backends.endpoint.reading import error_of
from vsgen.backends.endpoint.retry_after import retry_after
from vsgen.backends.endpoint.wire import Dialog, Said, Unreadable
from vsgen.errors import CallError, EndpointError

Blame: TypeAlias = Literal["rate", "away", "request"]
"""Who or what a failure is laid to: a limit in requests or tokens, the server, or perhaps the request."""

_AWAY: Final = frozenset({408, 425, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_NOWHERE: Final = frozenset({404, 405})
"""What a server answers that has no such route."""
_RETRIED: Final = frozenset({409, 500})
_FATAL: Final = {
    401: "the key is missing or not accepted",
    402: "the account has no credit",
    403: "the key does not allow this",
    404: "no such model or route here; name a model that the server has, and check the URL",
    405: "no such route here; check the URL",
    407: "the proxy asks for a password; give --proxy http://USER:PASSWORD@HOST:PORT",
    410: "the model or the route is gone",
}
"""Statuses that every request would be answered with, and what to do; `Target.about` adds what is known of the key."""
_NO_CREDIT: Final = (b"insufficient_quota", b"billing_hard_limit", b"credit balance is too low")
"""What providers write into a 429 or a 400 that no waiting mends."""

_FLAGGED: Final = (b"flagged", b"moderation")
"""What gateways write into a 403 that is about the text of one request."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request is asked again; the bounds hold for each request."""

    tries: int = 6
    """Of what may lie in the request itself."""
    seconds: float = 30.0
    """A server's own error (500), a reset or a time-out is tried at least so long, however often that is."""
    away: float = 180.0
    """Seconds after which a request is given up whose server is away; longer than the breaker's."""
    limited: float = 900.0
    """Seconds after which a run ends whose requests are only ever sent away by a rate limit."""
    first: float = 0.5
    """Seconds, the bound of the first pause; it doubles from one to the next."""
    longest: float = 8.0
    """Seconds, the bound of every pause that the server does not ask for."""
    asked: float = 120.0
    """Seconds, the longest pause that a server may ask for; a longer one ends the run, which can be resumed later."""


@dataclass(frozen=True, slots=True)
class Send:
    """Yielded: send this, and come back with a `Response` or a `Fault`."""

    request: Request


@dataclass(frozen=True, slots=True)
class Pause:
    """Yielded: come back with None after so many seconds, or sooner if the server is known to be well again."""

    seconds: float
    why: str
    """What went wrong, in words."""
    blame: Blame
    told: float | None = None
    """Seconds that the server asks for."""


class Came(NamedTuple):
    """What is sent back for a `Send` or a `Pause`."""

    what: Response | Fault | None
    now: float
    """Seconds of a clock that never goes back."""


Step: TypeAlias = Send | Pause


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a response is not used, though the same request may be answered later."""

    why: str
    blame: Blame
    told: float | None = None
    patient: bool = True
    """It may pass by itself."""


@dataclass(slots=True)
class _Tries:
    """What one request has been through."""

    patience: Patience
    rng: Random
    began: float
    pauses: int = 0
    blamed: int = 0
    """Failures that may lie in the request."""

    def again(self, failure: Failure, now: float) -> Pause:
        """The pause after a failure.

        Raises:
            CallError: The request is given up.
            EndpointError: The run is.
        """
        self.blamed += failure.blame == "request"
        self._check(failure, now - self.began)
        bound = min(self.patience.longest, self.patience.first * 2.0 ** min(self.pauses, 30))
        self.pauses += 1
        if failure.told is None:
            return Pause(self.rng.uniform(0.0, bound), failure.why, failure.blame)
        jitter = self.rng.uniform(0.0, min(bound, 0.1 + failure.told / 4))
        return Pause(failure.told + jitter, failure.why, failure.blame, failure.told)

    def _check(self, failure: Failure, elapsed: float) -> None:
        told, patience = failure.told or 0.0, self.patience
        if told > patience.asked:
            raise EndpointError(f"{failure.why}; the server asks to wait {told:,.0f} s: go on later with --resume")
        if failure.blame == "rate" and elapsed + told > patience.limited:
            raise EndpointError(
                f"{failure.why}, for {elapsed:,.0f} s; go on later with --resume, or lower --concurrency or --rpm"
            )
        if failure.blame == "away" and elapsed + told > patience.away:
            raise CallError(f"no reply within {elapsed:,.0f} s: {failure.why}")
        enough = elapsed >= patience.seconds or not failure.patient
        if self.blamed >= patience.tries and enough:
            raise CallError(f"no usable reply in {self.blamed} tries: {failure.why}")


def converse(dialog: Dialog, *, patience: Patience, rng: Random, now: float) -> Generator[Step, Came, Said]:
    """Move a dialog to its end, each of its requests through all that may happen to it.

    What is yielded after a `Send` says what came of it: a `Pause`, that it failed; anything else, that it was used.

    Args:
        dialog: What is to be said.
        patience: How long.
        rng: Of the jitter.
        now: Seconds of the clock whose later times are sent in `Came`.

    Returns:
        What the dialog returns.

    Raises:
        CallError: A request is given up.
        EndpointError: Every other request would fare alike.
    """
    request, tries = Request(""), _Tries(patience, rng, now)
    response: Response | None = None
    while True:
        try:
            step = next(dialog) if response is None else dialog.send(response)
        except StopIteration as end:
            said: Said = end.value
            return said
        if isinstance(step, Unreadable):
            failure = Failure(f"a reply that cannot be read: {step}", "request", patient=False)
            now = (yield tries.again(failure, now)).now
        else:
            request, tries = step, _Tries(patience, rng, now)
        response, now = yield from _exchange(request, tries)


def _exchange(request: Request, tries: _Tries) -> Generator[Step, Came, tuple[Response, float]]:
    while True:
        what, now = yield Send(request)
        match what:
            case Response():
                failure = None if request.optional and what.status in _NOWHERE else failure_of(what)
                if failure is None:
                    return what, now
            case Fault():
                failure = _faulty(what)
            case None:
                raise TypeError("a request is answered by a response or a fault")
        yield tries.again(failure, now)


def failure_of(response: Response) -> Failure | None:
    """What is wrong with a response; None if the dialog is to have it.

    Raises:
        EndpointError: Nothing will be right.
    """
    status = response.status
    if status < 300:
        return None
    words = f"HTTP {status} ({error_of(response)})"
    if remedy := _remedy(response):
        raise EndpointError(f"{words}: {remedy}", http=status)
    if status == 429:
        return Failure(words, "rate", retry_after(response.headers))
    if status in _AWAY:
        return Failure(words, "away", retry_after(response.headers))
    return Failure(words, "request", retry_after(response.headers)) if status in _RETRIED else None


def _remedy(response: Response) -> str | None:
    """What to do about a response that every request would be answered with; None about all others."""
    status, body = response.status, response.body
    if status in {400, 429} and any(mark in body for mark in _NO_CREDIT):
        return _FATAL[402]
    if status == 403 and any(mark in body.lower() for mark in _FLAGGED):
        return None
    return _FATAL.get(status)


def _faulty(fault: Fault) -> Failure:
    """What is wrong where there is no response.

    Raises:
        EndpointError: It will not pass.
    """
    match fault.kind:
        case "redirect":
            raise EndpointError(f"{fault.detail}: redirects to another place are not followed; give that URL yourself")
        case "tls":
            raise EndpointError(f"{fault.detail}: the server's certificate is not trusted; SSL_CERT_FILE names others")
        case "no-tls":
            raise EndpointError(f"{fault.detail}: is it a server without TLS? Then its URL begins with http://")
        case "connect":
            return Failure(fault.detail, "away")
        case "too-large" | "packed":
            return Failure(fault.detail, "request", patient=False)
        case _:
            return Failure(fault.detail, "request")
