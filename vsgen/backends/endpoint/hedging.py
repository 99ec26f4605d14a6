"""When a second, equal request is sent for one that is slow: `Hedging`; pure, time is an argument.

Some servers now and then take many times as long for a request as for others, because a machine behind them is busy or
a packet was lost. Then a second request is answered first, and the run need not wait. Where a reply is slow because it
is long, the second is as slow as the first, and paid in vain. So

- a second request is sent only after the time in which 9 of 10 of the latest were answered, and twice that of half of
  them; and one at most;
- second requests are at most one in twenty;
- once most of them have been sent in vain, no more are.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

_MEMORY: Final = 256
"""Requests whose times are known."""
_LEAST: Final = 40
"""Requests without which nothing is known."""
_SLOWEST: Final = 0.1
"""Share of requests that may be slow."""
_SHARE: Final = 0.05
"""Second requests for each request."""
_MUCH: Final = 2.0
"""Times the usual, from which on a request is slow."""
_ALSO: Final = 4
"""Second requests that may be sent beyond their share."""
_TRIED: Final = 12
"""Second requests after which it is known whether they help."""


class Hedging:
    """What is known of the requests of one kind to one model."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._times: deque[float] = deque(maxlen=_MEMORY)
        self._requests = 0
        self._slow: float | None = None
        self.sent = 0
        """Second requests so far."""
        self.won = 0
        """Those of them that were answered first."""

    @property
    def after(self) -> float | None:
        """Seconds after which a request gets a second one; None if it gets none."""
        spent = self.sent >= _ALSO + _SHARE * self._requests
        vain = self.sent >= _TRIED and self.won < self.sent / 2
        return None if spent or vain else self._slow

    def took(self, seconds: float) -> None:
        """A request was answered."""
        self._times.append(seconds)
        self._requests += 1
        if self._requests >= _LEAST and (self._slow is None or self._requests % _LEAST == 0):
            times = sorted(self._times)
            usual, slow = (times[math.ceil(len(times) * share) - 1] for share in (0.5, 1 - _SLOWEST))
            self._slow = max(slow, _MUCH * usual)
