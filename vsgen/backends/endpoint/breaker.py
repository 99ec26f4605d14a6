"""When to stop asking a server: after a stated run of failures without anything that came back well; pure.

It opens

- after `Run.failures` failures in a row over at least `Run.seconds`, so that an outage of 20 seconds passes;
- sooner, after `Run.unreached` seconds, as long as nobody has ever answered at the address: it is probably wrong;
- after `Run.refused` requests that the server refused one by one, as long as it has answered none.

Rate limits are no failures: who sends others away is well.
"""

from __future__ import annotations

from dataclasses import dataclass

from vsgen.errors import EndpointError


@dataclass(frozen=True, slots=True)
class Run:
    """How much is too much."""

    failures: int = 10
    seconds: float = 60.0
    unreached: float = 5.0
    """Seconds without a connection, before there was the first."""
    refused: int = 20
    """Refusals in a row, before there was the first reply."""


class Breaker:
    """What came of the requests of one account."""

    def __init__(self, run: Run) -> None:
        """Begin closed.

        Args:
            run: How much is too much.
        """
        self._run = run
        self._failures = self._refusals = 0
        self._since = 0.0
        """When the first of the failures came."""
        self._why = ""
        """What went wrong last."""
        self._reached = self._worked = False

    def outage(self, now: float) -> tuple[float, str] | None:
        """For how many seconds nothing but failures was heard, and the last of them; None if the last is none."""
        return (now - self._since, self._why) if self._failures else None

    def worked(self) -> None:
        """A response was used."""
        self._failures, self._reached = 0, True

    def replied(self) -> None:
        """A call has its reply."""
        self._worked = True

    def limited(self) -> None:
        """The server answered with a rate limit."""
        self._failures, self._reached = 0, True

    def failed(self, why: str, now: float, *, reached: bool) -> None:
        """A request failed.

        Args:
            why: In words.
            now: The time.
            reached: Somebody answered, whatever it was.

        Raises:
            EndpointError: It was one too many.
        """
        self._reached = self._reached or reached
        self._since = self._since if self._failures else now
        self._failures += 1
        self._why = why
        elapsed = now - self._since
        if not self._reached and elapsed >= self._run.unreached:
            raise EndpointError(f"{why}; is the server running there, and is the URL right?")
        if self._failures >= self._run.failures and elapsed >= self._run.seconds:
            raise EndpointError(
                f"{self._failures} failures in a row over {elapsed:,.0f} s, the last: {why}; "
                "go on with --resume when the server works again"
            )

    def refused(self, why: str) -> None:
        """The server refused one request.

        Raises:
            EndpointError: It seems to refuse every one.
        """
        self._refusals += 1
        if not self._worked and self._refusals >= self._run.refused:
            raise EndpointError(f"the server refuses every request, the last: {why}")
