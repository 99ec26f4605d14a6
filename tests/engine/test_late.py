"""What may never be needed is made when it is."""

from __future__ import annotations

from vsgen.engine.executors import Batched
from vsgen.engine.late import Late
from vsgen.errors import TooLongError
from vsgen.ports import Executor
from vsgen.values import Call, Completion, Generate, Prompt


def test_an_executor_is_made_once_with_its_first_call_and_answers_all_that_waited() -> None:
    made: list[Executor] = []

    def make() -> Executor:
        made.append(Batched[Generate](lambda calls: [Completion(str(call.seed)) for call in calls], 2))
        return made[-1]

    late = Late(make)
    assert late.collect() == ()
    for ticket in range(3):
        late.submit(ticket, Generate(Prompt(prefill="x"), seed=10 + ticket))
    assert not made
    assert late.collect() == [(0, Completion("10")), (1, Completion("11"))]
    late.submit(3, Generate(Prompt(prefill="x"), seed=13))
    assert late.collect() == [(2, Completion("12")), (3, Completion("13"))]
    assert len(made) == 1


def test_a_call_that_the_executor_does_not_take_is_answered_with_why_and_the_others_are_answered() -> None:
    class Short(Batched[Generate]):
        def submit(self, ticket: int, call: Call) -> None:
            if ticket == 1:
                raise TooLongError("too long", tokens=900, context=512)
            super().submit(ticket, call)

    late = Late(lambda: Short(lambda calls: [Completion(str(call.seed)) for call in calls], 2))
    for ticket in range(3):
        late.submit(ticket, Generate(Prompt(prefill="x"), seed=10 + ticket))
    ((ticket, why),) = late.collect()
    assert ticket == 1
    assert isinstance(why, TooLongError)
    assert late.collect() == [(0, Completion("10")), (2, Completion("12"))]
