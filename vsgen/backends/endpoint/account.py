"""One account at one server: who waits to be sent, and what comes back, under its limits and its breaker.

All calls of a process to one server go through one account, whatever model or flow they are of. The oldest ticket is
sent first, also where it is sent again. Time is an argument; nobody waits here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Final

from vsgen.backends.endpoint.breaker import Breaker, Run
from vsgen.backends.endpoint.exchange import Pause, Step
from vsgen.backends.endpoint.http import Fault, Response
from vsgen.backends.endpoint.limits import Ceiling, Limits, Permit
from vsgen.backends.endpoint.wire import Usage
from vsgen.ports import Held, Ticket
from vsgen.values import Answer, Refused, Verified

_OUTAGE: Final = 1.0
"""Seconds of failures alone, from which on it is worth a word."""


class Account:
    """Limits, breaker and a queue."""

    def __init__(self, ceiling: Ceiling, run: Run) -> None:
        """Begin with nothing in flight.

        Args:
            ceiling: What may be used at the most.
            run: The failures that are too many.
        """
        self.limits = Limits(ceiling)
        self.breaker = Breaker(run)
        self._waiting: list[tuple[Ticket, int, int, Callable[[Permit], None]]] = []
        self._given_up: set[int] = set()
        self._order = count()
        self._resting: dict[int, Callable[[], None]] = {}
        self._until = self._sent_away = -math.inf
        """When the next one may be sent; when the last one will be asked again that a rate limit sent away."""

    def queue(self, ticket: Ticket, tokens: int, go: Callable[[Permit], None]) -> Callable[[], object]:
        """Wait to be sent; returns what gives that up again, as long as `go` was not called.

        Args:
            ticket: The smallest is sent first.
            tokens: About how many it will take.
            go: Called by `admit` when it may be sent; the permit must come back by `came` or `abandon`.

        Raises:
            OptionError: It can never be sent.
        """
        self.limits.check(tokens)
        name = next(self._order)
        heappush(self._waiting, (ticket, name, tokens, go))
        return lambda: self._given_up.add(name)

    def admit(self, now: float) -> float:
        """Let go whoever may be sent; returns after how many seconds to ask again, infinity for when one comes back."""
        while self._waiting:
            _, name, tokens, go = self._waiting[0]
            if name in self._given_up:
                heappop(self._waiting)
                self._given_up.discard(name)
                continue
            if (wait := self.limits.wait(tokens, now)) > 0:
                self._until = now + wait if wait < math.inf else -math.inf
                return wait
            heappop(self._waiting)
            go(self.limits.take(tokens, now))
        self._until = -math.inf
        return math.inf

    def held(self, place: str, now: float) -> Held | None:
        """What keeps requests from being sent; may be asked in any thread.

        Args:
            place: The server.
            now: The time.
        """
        if (outage := self.breaker.outage(now)) is not None and outage[0] >= _OUTAGE:
            return Held("outage", place, *outage)
        sent_away = self._sent_away if self.limits.in_flight == 0 else -math.inf
        blocked = self.limits.blocked if self._until > now else -math.inf
        if (until := max(sent_away, blocked)) > now:
            return Held("rate limit", place, until - now)
        return Held("own limit", place, self._until - now) if self._until > now else None

    def came(self, permit: Permit, what: Response | Fault, step: Step | None, now: float) -> int:
        """One came back.

        Args:
            permit: With which it was sent.
            what: What came.
            step: What its exchange made of it: a pause says that it failed; None that nothing follows.
            now: The time.

        Returns:
            Tokens of its estimate that `replied` is to settle; 0 where that is done, or the server never says.

        Raises:
            EndpointError: The breaker opens.
        """
        headers = what.headers if isinstance(what, Response) else {}
        if not isinstance(step, Pause):
            self.limits.give_back(permit, headers, now, well=True)
            self.breaker.worked()
            self._wake()
            return permit.tokens
        stated = isinstance(what, Response) and what.status < 300
        if not stated and (isinstance(what, Response) or not what.sent):
            self.limits.settle(permit.tokens, 0, now)
        if step.blame == "rate":
            self.limits.sent_away(permit, headers, now, step.told)
            self._sent_away = max(self._sent_away, now + step.seconds)
            self.breaker.limited()
        else:
            self.limits.give_back(permit, headers, now, well=False)
            reached = isinstance(what, Response) or what.kind != "connect"
            self.breaker.failed(step.why, now, reached=reached)
        return permit.tokens if stated else 0

    def replied(self, answer: Answer, estimated: int, usage: Usage, now: float) -> None:
        """A call has its answer.

        Args:
            answer: The answer.
            estimated: Tokens that its requests were estimated at.
            usage: What the server says they took; nothing where it does not say.
            now: The time.

        Raises:
            EndpointError: The server seems to refuse everything.
        """
        if usage.total:
            self.limits.settle(estimated, usage.total, now)
        match answer:
            case Refused():
                self.breaker.refused(answer.problem)
            case Verified():  # of an examination, which proves nothing about the calls of a run
                pass
            case _:
                self.breaker.replied()

    def abandon(self, permit: Permit, now: float) -> None:
        """One was sent, or not even that, and nobody waits for it any more."""
        self.limits.give_back(permit, {}, now, well=False)

    def rest(self, wake: Callable[[], None]) -> Callable[[], object]:
        """Have `wake` called as soon as the server is known to be well again; returns what takes it back."""
        name = next(self._order)
        self._resting[name] = wake
        return lambda: self._resting.pop(name, None)

    def _wake(self) -> None:
        while self._resting:
            self._resting.popitem()[1]()
