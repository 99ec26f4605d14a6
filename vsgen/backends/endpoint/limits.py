"""What one account may ask at once and in a minute; pure: time is an argument, and nobody waits here.

*Concurrency* adapts. It begins at `Ceiling.start` and grows by one for each request that comes back well, until a rate
limit has shrunk it; from then on by one for each round of them (additive up). Only true rate limits shrink it, status
429, and only where they are more than noise: more than `_NOISE` and a share of what came back since the last change. It
then shrinks by the share that was sent away, at most by half (multiplicative down), and nothing is sent for as long as
the server asks; where it does not, and nothing came back well since the last shrinking, for a second that doubles from
one to the next. What was sent before the change says nothing about the new limit and is not counted: that is the
cooldown.

*Requests and tokens a minute* are buckets that fill evenly. A bucket holds a twentieth of its minute, and fills so much
more slowly than the limit that no 60 seconds ever hold more than the limit (tokens: than the limit and one request).
Tokens are taken by an estimate, and settled when the reply says what it took.

*What the server says* in ``x-ratelimit-*`` (OpenAI) and ``anthropic-ratelimit-*`` counts as well: where nothing
remains, nothing is sent until the reset.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from vsgen.errors import OptionError

_MINUTE: Final = 60.0
_BURST: Final = 1 / 20
"""Of a minute's limit, that a bucket holds."""
_NOISE: Final = 3
_SHARE: Final = 0.15
"""Rate limits that are heeded are more than so many and this share of what came back."""
_MEMORY: Final = 128
"""Requests that came back, after which the older half is forgotten."""
_QUIET: Final = (1.0, 8.0)
"""Seconds, the first and the longest pause after shrinkings in a row whose length the server leaves open."""
_LONGEST: Final = 60.0
"""Seconds, the longest that a header may hold all up."""
_UNITS: Final = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION: Final = re.compile("".join(rf"(?:(\d{{1,9}}(?:\.\d{{1,9}})?){unit})?" for unit in _UNITS))
_HEADERS: Final = tuple(
    (remaining.format(kind), reset.format(kind))
    for remaining, reset in (
        ("x-ratelimit-remaining-{}", "x-ratelimit-reset-{}"),
        ("anthropic-ratelimit-{}-remaining", "anthropic-ratelimit-{}-reset"),
    )
    for kind in ("requests", "tokens", "input-tokens", "output-tokens")
)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What an account may use at the most."""

    concurrency: int = 64
    """Requests in flight."""
    start: int = 16
    """Requests in flight before anything is known of the server."""
    rpm: int | None = None
    """Requests in any minute; None without a limit of ours."""
    tpm: int | None = None
    """Tokens in any minute, of prompts and replies together."""


class Permit(NamedTuple):
    """One request in flight; given back exactly once."""

    number: int
    tokens: int
    """That were taken for it."""


class Bucket:
    """What may be spent in a minute."""

    def __init__(self, limit: int) -> None:
        """Begin full.

        Args:
            limit: What any 60 seconds may hold, at least 1.
        """
        self._size = max(1.0, limit * _BURST)
        self._rate = max(limit - self._size, limit / 2) / _MINUTE
        self._level = self._size
        self._at = -math.inf

    def wait(self, amount: float, now: float) -> float:
        """Seconds until so much may be taken; what is more than the bucket holds waits until it is full."""
        self._fill(now)
        lacking = min(amount, self._size) - self._level
        return max(0.0, lacking / self._rate) if lacking > 1e-9 else 0.0

    def take(self, amount: float, now: float) -> None:
        """Take it; a negative amount gives back, and more than is there leaves a debt."""
        self._fill(now)
        self._level = min(self._size, self._level - amount)

    def _fill(self, now: float) -> None:
        if now > self._at:
            gained = (now - self._at) * self._rate
            self._level, self._at = min(self._size, self._level + gained), now


class Limits:
    """What is in flight and what was spent, of all calls of one account."""

    def __init__(self, ceiling: Ceiling) -> None:
        """Begin with nothing in flight."""
        self._tpm = ceiling.tpm
        self._most = float(max(1, ceiling.concurrency))
        self._limit = min(self._most, float(max(1, ceiling.start)))
        self._requests = Bucket(ceiling.rpm) if ceiling.rpm else None
        self._tokens = Bucket(ceiling.tpm) if ceiling.tpm else None
        self._shrunk = False
        self._numbers = 0
        self._since = 0
        """The first number that counts since the last change."""
        self._came = self._sent_away = 0
        self._in_a_row = 0
        """Shrinkings since something came back well."""
        self._blocked = -math.inf
        self.in_flight = 0

    @property
    def concurrency(self) -> int:
        """How many requests may be in flight now."""
        return int(self._limit)

    @property
    def blocked(self) -> float:
        """Until when the server wants nothing."""
        return self._blocked

    def check(self, tokens: int) -> None:
        """See that a request of about so many tokens may be sent at all.

        Raises:
            OptionError: It takes more than a minute may hold.
        """
        if self._tpm and tokens > self._tpm:
            raise OptionError(
                f"--tpm {self._tpm}: one request takes about {tokens} tokens, prompt and reply; "
                f"give --tpm {tokens} or more"
            )

    def wait(self, tokens: int, now: float) -> float:
        """Seconds until a request may be sent: 0 is now, infinity is when another has come back."""
        if self.in_flight >= self.concurrency:
            return math.inf
        waits = [max(0.0, self._blocked - now)]
        if self._requests is not None:
            waits.append(self._requests.wait(1, now))
        if self._tokens is not None:
            waits.append(self._tokens.wait(tokens, now))
        return max(waits)

    def take(self, tokens: int, now: float) -> Permit:
        """Send one, which `wait` allows.

        Args:
            tokens: About how many it will take.
            now: The time.
        """
        self.in_flight += 1
        self._numbers += 1
        if self._requests is not None:
            self._requests.take(1, now)
        self.settle(0, tokens, now)
        return Permit(self._numbers, tokens)

    def give_back(self, permit: Permit, headers: Mapping[str, str], now: float, *, well: bool) -> None:
        """It came back, or never will.

        Args:
            permit: What `take` gave.
            headers: Of the response; empty where there is none.
            now: The time.
            well: It was used; false where it failed, by whatever but a rate limit.
        """
        self.in_flight -= 1
        self._heed(headers, now)
        if permit.number <= self._since:
            return
        self._note(sent_away=False)
        if well:
            self._in_a_row = 0
            self._limit = min(self._most, self._limit + (1 / self._limit if self._shrunk else 1.0))

    def sent_away(self, permit: Permit, headers: Mapping[str, str], now: float, told: float | None) -> None:
        """It came back with a rate limit.

        Args:
            permit: What `take` gave.
            headers: Of the response.
            now: The time.
            told: Seconds that the server asks to wait.
        """
        self.in_flight -= 1
        self._heed(headers, now)
        if permit.number <= self._since:
            return
        self._note(sent_away=True)
        if self._sent_away > min(_NOISE, self.concurrency - 1) + _SHARE * self._came:
            self._shrink(self._sent_away / self._came, told, now)

    def settle(self, estimated: int, used: int, now: float) -> None:
        """What was taken by an estimate took something else."""
        if self._tokens is not None and used != estimated:
            self._tokens.take(used - estimated, now)

    def _note(self, *, sent_away: bool) -> None:
        if self._came >= _MEMORY:
            self._came, self._sent_away = self._came // 2, self._sent_away // 2
        self._came += 1
        self._sent_away += sent_away

    def _shrink(self, share: float, told: float | None, now: float) -> None:
        self._limit = max(1.0, self._limit * max(0.5, 1 - share))
        self._shrunk = True
        self._since, self._came, self._sent_away = self._numbers, 0, 0
        quiet = min(_QUIET[1], _QUIET[0] * 2.0 ** (self._in_a_row - 1)) if self._in_a_row else 0.0
        self._block(now + min(_LONGEST, told or quiet))
        self._in_a_row = min(self._in_a_row + 1, 10)

    def _heed(self, headers: Mapping[str, str], now: float) -> None:
        for remaining, reset in _HEADERS if headers else ():
            if headers.get(remaining, "").strip() in {"0", "-1"}:
                self._block(now + min(_LONGEST, _until(headers.get(reset, ""), headers.get("date", ""))))

    def _block(self, until: float) -> None:
        self._blocked = max(self._blocked, until)


def _until(text: str, date: str) -> float:
    """Seconds until a reset, stated as ``6m0s``, as ``0.5`` or as a time (RFC 3339); 0 where it cannot be read."""
    found = _DURATION.fullmatch(text.strip())
    if found and any(found.groups()):
        return sum(float(number) * unit for number, unit in zip(found.groups(), _UNITS.values(), strict=True) if number)
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (datetime.fromisoformat(text) - parsedate_to_datetime(date)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0
