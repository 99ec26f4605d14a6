"""How fast a command goes and how long it will take, from what is known of it at several moments.

What is left is estimated from the tokens that a kept row has cost, since tokens are drawn evenly and rows are not: they
come in lots, and whole draws may give none. Of the draws that are finished the later half counts, because repeats
become more frequent. The estimate is a range. Its width is the standard error of a mean over that many draws; its lower
end takes all tokens that are drawn ahead as work done, its upper end none of them.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

from vsgen.jobs.activity import Progress

_WINDOW: Final = 30.0
"""Seconds over which speeds are measured."""
_SOON: Final = 1.0
"""Seconds below which a speed says nothing."""
_FEW: Final = 3
"""Units that must be finished before anything can be said of the others."""
_BEFORE: Final = ("starting", "downloading", "loading", "examining")
"""Phases in which no row can come."""
_STEP: Final = 1.05
"""A later mark has at least so many times the units of the one before."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of a command at one moment."""

    progress: Progress
    seconds: float = 0.0
    """Since the command began."""
    in_phase: float = 0.0
    """Seconds since its phase began."""
    still: float = 0.0
    """Seconds since the last row came, or since rows could come."""
    waited: float = 0.0
    """Seconds for which `Progress.oldest` has been the oldest."""
    rows_per_second: float | None = None
    tokens_per_second: float | None = None
    bytes_per_second: float | None = None
    left: tuple[float, float] | None = None
    """Seconds until all rows that are wanted are there, at least and at most; None while that means nothing."""


class _Moment(NamedTuple):
    seconds: float
    tokens: int
    fetched: int


class _Mark(NamedTuple):
    units: int
    rows: int
    tokens: int


class _Since:
    """For how long something has stayed the same."""

    def __init__(self) -> None:
        self._what: object = self
        self._since = 0.0

    def __call__(self, what: object, seconds: float) -> float:
        if what != self._what:
            self._what, self._since = what, seconds
        return seconds - self._since


class Meter:
    """Takes a reading whenever it is asked to."""

    def __init__(self) -> None:
        self._phase, self._rows, self._oldest = _Since(), _Since(), _Since()
        self._moments: deque[_Moment] = deque()
        self._marks = [_Mark(0, 0, 0)]
        self._begun: tuple[float, int, int] | None = None
        """When the first call was answered that the journal did not know, and the rows and units of that moment."""

    def read(self, progress: Progress, seconds: float) -> Reading:
        """What is known now.

        Args:
            progress: Of the command.
            seconds: Since the command began.
        """
        tokens, fetched = self._speeds(progress, seconds)
        if self._begun is None and (progress.calls or progress.drawn):
            self._begun = (seconds, progress.rows, progress.units)
        self._mark(progress)
        oldest = progress.oldest
        rate = self._rate(progress, seconds)
        return Reading(
            progress,
            seconds,
            in_phase=self._phase((progress.phase, progress.model), seconds),
            still=self._rows((progress.rows, progress.phase in _BEFORE), seconds),
            waited=self._oldest(oldest and (oldest.unit, oldest.kind), seconds),
            rows_per_second=rate,
            tokens_per_second=tokens,
            bytes_per_second=fetched,
            left=self._left(progress, tokens, rate),
        )

    def _speeds(self, progress: Progress, seconds: float) -> tuple[float | None, float | None]:
        moments = self._moments
        last = moments[-1] if moments else _Moment(seconds, 0, 0)
        moments.append(
            _Moment(
                seconds,
                max(progress.drawn, last.tokens),  # a reply on its way to the journal is in neither count
                progress.transfer.done if progress.transfer else 0,
            )
        )
        while len(moments) > 2 and moments[1].seconds <= seconds - _WINDOW:
            moments.popleft()
        return self._speed(1), self._speed(2)

    def _speed(self, field: int) -> float | None:
        """How fast a field of the moments has grown since it first did."""
        moments = [one for one in self._moments if one[field]]
        if not moments or (span := self._moments[-1].seconds - moments[0].seconds) < _SOON:
            return None
        return (moments[-1][field] - moments[0][field]) / span or None

    def _mark(self, progress: Progress) -> None:
        if progress.units >= self._marks[-1].units * _STEP + 1:
            self._marks.append(_Mark(progress.units, progress.rows, progress.tokens))

    def _rate(self, progress: Progress, seconds: float) -> float | None:
        if self._begun is None or progress.rows <= self._begun[1] or seconds <= self._begun[0]:
            return None
        if progress.units < self._begun[2] + _FEW:
            return None
        return (progress.rows - self._begun[1]) / (seconds - self._begun[0])

    def _left(self, progress: Progress, speed: float | None, rate: float | None) -> tuple[float, float] | None:
        if progress.wanted is None or progress.rows >= progress.wanted or self._begun is None:
            return None
        rows = progress.wanted - progress.rows
        if progress.tokens == 0:  # nothing is drawn, as where given texts are scored
            units = progress.units - self._begun[2]
            return None if rate is None or units < _FEW else _range(rows / rate, rows / rate, units)
        mark = max(one for one in self._marks if one.units <= min(progress.units / 2, max(0, progress.units - _FEW)))
        units, gained = progress.units - mark.units, progress.rows - mark.rows
        if speed is None or units < _FEW or gained <= 0:
            return None
        need = rows * (progress.tokens - mark.tokens) / gained
        ahead = max(0, progress.recalled_tokens + progress.drawn - progress.tokens)
        return _range(max(0.0, need - ahead) / speed, need / speed, units)


def _range(low: float, high: float, units: int) -> tuple[float, float]:
    error = 1 + 1 / math.sqrt(units)
    return low / error, high * error
