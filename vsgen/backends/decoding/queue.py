"""All replies to some calls, from a queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from vsgen.flow import replied
from vsgen.ports import Queue, Ticket
from vsgen.values import Completion, Generate, Reply


def drawn(queue: Queue, calls: Sequence[Generate]) -> Sequence[Completion]:
    """The completions of calls, in their order.

    Raises:
        CallError: A call is refused.
    """
    for place, call in enumerate(calls):
        queue.submit(Ticket(0, place), call)
    replies: dict[int, Reply] = {}
    while len(replies) < len(calls):
        replies.update((ticket.place, replied(answer)) for ticket, answer in queue.work())
    return [cast(Completion, replies[place]) for place in range(len(calls))]
