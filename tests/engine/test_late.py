"""What may never be needed is made when it is."""

from __future__ import annotations

from vsgen.engine.late import Late
from vsgen.engine.queues import Batched
from vsgen.ports import Queue, Ticket
from vsgen.values import Completion, Generate, Prompt


def test_a_queue_is_made_once_with_its_first_call_and_answers_all_that_waited() -> None:
    made: list[Queue] = []

    def make() -> Queue:
        made.append(Batched[Generate](lambda calls: [Completion(str(call.seed)) for call in calls], 2))
        return made[-1]

    late, tickets = Late(make), [Ticket(number, 0) for number in range(4)]
    assert late.work() == ()
    for ticket in tickets[:3]:
        late.submit(ticket, Generate(Prompt(prefill="x"), seed=10 + ticket.flow))
    assert not made
    assert late.work() == [(tickets[0], Completion("10")), (tickets[1], Completion("11"))]
    late.submit(tickets[3], Generate(Prompt(prefill="x"), seed=13))
    assert late.work() == [(tickets[2], Completion("12")), (tickets[3], Completion("13"))]
    assert len(made) == 1
