"""A queue answers every call, the oldest first, whatever one of them does to a batch."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.engine.queues import Batched
from vsgen.errors import CallError, TooLongError
from vsgen.ports import Ticket
from vsgen.values import Completion, Generate, Prompt, Refused, Reply


def generate(seed: int) -> Generate:
    return Generate(Prompt(prefill="x"), seed=seed)


def echo(calls: Sequence[Generate]) -> Sequence[Reply]:
    return [Completion(str(call.seed)) for call in calls]


def test_a_batch_holds_the_oldest_that_wait_up_to_its_size() -> None:
    sizes: list[int] = []

    def answer(calls: Sequence[Generate]) -> Sequence[Reply]:
        sizes.append(len(calls))
        return echo(calls)

    queue = Batched[Generate](answer, 4)
    for flow in (5, 2, 3, 0, 1, 4):
        queue.submit(Ticket(flow, 9), generate(flow))
    assert [ticket.flow for ticket, _ in queue.work()] == [0, 1, 2, 3]
    assert [ticket.flow for ticket, _ in queue.work()] == [4, 5]
    assert not queue.work()
    assert sizes == [4, 2]


@given(bad=st.sets(st.integers(0, 20)), size=st.integers(1, 9))
def test_a_call_that_a_batch_cannot_bear_is_refused_alone(bad: set[int], size: int) -> None:
    def answer(calls: Sequence[Generate]) -> Sequence[Reply]:
        if ill := [call.seed for call in calls if call.seed in bad]:
            raise TooLongError(f"cannot answer {ill[0]}", tokens=9, context=5)
        return echo(calls)

    queue = Batched[Generate](answer, size)
    for seed in range(21):
        queue.submit(Ticket(seed, 0), generate(seed))
    found = {ticket.flow: said for _ in range(21) for ticket, said in queue.work()}
    assert len(found) == 21
    for seed, said in found.items():
        assert said == (Refused("too-long", f"cannot answer {seed}", 9, 5) if seed in bad else Completion(str(seed)))


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA out of memory. Tried"), RuntimeError("can't allocate memory: 9 bytes")]
)
def test_a_batch_for_which_memory_does_not_suffice_is_halved(error: Exception) -> None:
    sizes: list[int] = []

    def answer(calls: Sequence[Generate]) -> Sequence[Reply]:
        sizes.append(len(calls))
        if len(calls) > 2 or calls[-1].seed == 7:
            raise error
        return echo(calls)

    queue = Batched[Generate](answer, 8)
    for seed in range(8):
        queue.submit(Ticket(seed, 0), generate(seed))
    found = {ticket.flow: said for _ in range(8) for ticket, said in queue.work()}
    assert [found[seed] for seed in range(7)] == echo([generate(seed) for seed in range(7)])
    refused = found[7]
    assert isinstance(refused, Refused)
    assert "not enough memory for this call alone" in refused.problem
    assert sizes[:3] == [8, 4, 2]
    sizes.clear()
    for seed in range(10, 18):
        queue.submit(Ticket(seed, 0), generate(seed))
    assert len(queue.work()) == max(sizes) == 2, "what was too much once is not tried again"


def test_what_is_neither_a_refusal_nor_short_of_memory_is_raised() -> None:
    def answer(_: Sequence[Generate]) -> Sequence[Reply]:
        raise RuntimeError("a kernel failed")

    queue = Batched[Generate](answer, 8)
    queue.submit(Ticket(0, 0), generate(0))
    with pytest.raises(RuntimeError, match="a kernel failed"):
        queue.work()


def test_any_error_of_a_call_is_a_refusal_in_its_words() -> None:
    def answer(_: Sequence[Generate]) -> Sequence[Reply]:
        raise CallError("no reply")

    queue = Batched[Generate](answer, 8)
    queue.submit(Ticket(0, 0), generate(0))
    assert queue.work() == [(Ticket(0, 0), Refused("refused", "no reply"))]
