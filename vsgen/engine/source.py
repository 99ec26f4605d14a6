"""Flows out of a plain iterator, for jobs whose rows are at hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from vsgen.flow import Flow

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
