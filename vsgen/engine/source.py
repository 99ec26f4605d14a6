"""Flows out of a plain iterator, for jobs whose rows are at hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from vsgen.flow import Flow
from vsgen.ports import Source

R = TypeVar("R")


class Flows(Generic[R]):
    """A source of flows that are there at once; each is pulled only when it can be started."""

    def __init__(self, flows: Iterable[Flow[R]]) -> None:
        self._flows = iter(flows)
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether the last one was taken."""
        return self._ended

    def take(self) -> Flow[R] | None:
        """The next flow; raises what the iterator raises."""
        flow = next(self._flows, None)
        self._ended = flow is None
        return flow


class Chain(Generic[R]):
    """One source after the other."""

    def __init__(self, first: Source[R], second: Source[R]) -> None:
        self._first = first
        self._second = second

    @property
    def ended(self) -> bool:
        """Whether the last flow of the second was taken."""
        return self._first.ended and self._second.ended

    def take(self) -> Flow[R] | None:
        """The next flow; raises what the sources raise."""
        if not self._first.ended and (flow := self._first.take()) is not None:
            return flow
        return self._second.take() if self._first.ended else None
