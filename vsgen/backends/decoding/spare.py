"""A decoder that does with less where memory does not suffice for its running batch.

What a machine or a GPU can hold is only known when it is full: others use it too, and prompts differ in length. Then
the decoder is given up with all that it holds, and a new one with half the rows and half the tokens starts the calls
anew that have no answer yet. Their replies are the same, since a reply depends on its own call only. A call for which
memory does not suffice alone is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from vsgen.backends.decoding.parts import Limits
from vsgen.errors import no_memory, short_of_memory
from vsgen.flow import refusal
from vsgen.ports import Drawing, Queue, Ticket
from vsgen.values import Answer, Call


class Sparing:
    """A queue over decoders, of which there is one at a time."""

    def __init__(self, make: Callable[[Limits], Queue], limits: Limits) -> None:
        """Set up.

        Args:
            make: Makes an empty decoder.
            limits: Of the first one.
        """
        self._make = make
        self._limits = self._first = limits
        self._inner = make(limits)
        self._open: dict[Ticket, Call] = {}

    def submit(self, ticket: Ticket, call: Call) -> None:
        """Take a call."""
        self._open[ticket] = call
        self._inner.submit(ticket, call)

    def work(self) -> Sequence[tuple[Ticket, Answer]]:
        """Do a step; with less, where that is too much."""
        try:
            answers = self._inner.work()
        except (MemoryError, RuntimeError) as error:
            if not short_of_memory(error) or not self._open:
                raise
            alone = refusal(no_memory(error))
        else:
            for ticket, _ in answers:
                del self._open[ticket]
            return answers
        return self._again(alone)

    def drawing(self) -> Sequence[tuple[Ticket, int]]:
        """What the decoder draws; see `vsgen.ports.Drawing`."""
        return self._inner.drawing() if isinstance(self._inner, Drawing) else ()

    def _again(self, alone: Answer) -> Sequence[tuple[Ticket, Answer]]:
        """Start anew with half of what there was; where one row ran alone, without it, which is what was too large."""
        refused = []
        if self._limits.rows == 1:
            oldest = min(self._open)
            del self._open[oldest]
            refused = [(oldest, alone)]
        self._limits = self._first if refused else _halved(self._limits)
        self._inner = self._make(self._limits)
        for ticket, call in self._open.items():
            self._inner.submit(ticket, call)
        return refused


def _halved(limits: Limits) -> Limits:
    rows, tokens, forward = (max(1, each // 2) for each in (limits.rows, limits.tokens, limits.forward))
    return replace(limits, rows=rows, tokens=tokens, forward=forward)
