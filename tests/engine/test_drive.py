"""The engine's promises: order out, turns in order, no more under way than allowed, and nothing lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.engine.drive import drive
from vsgen.engine.executors import Batched
from vsgen.errors import CallError
from vsgen.flow import Flow, ask, ask_all, in_order
from vsgen.ports import Executor
from vsgen.values import Call, Completion, Embed, Generate, Prompt, Reply, Vector


class Shuffled:
    """Answers a random few of the waiting calls at a time, as a server would."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._waiting: list[tuple[int, Call]] = []
        self.most = 0

    def submit(self, ticket: int, call: Call) -> None:
        self._waiting.append((ticket, call))
        self.most = max(self.most, len(self._waiting))

    def collect(self) -> list[tuple[int, Reply]]:
        self._rng.shuffle(self._waiting)
        count = self._rng.randint(1, len(self._waiting))
        answered, self._waiting = self._waiting[:count], self._waiting[count:]
        return [(ticket, _answer(call)) for ticket, call in answered]


def _answer(call: Call) -> Reply:
    return Vector(call.text.encode()) if isinstance(call, Embed) else Completion(str(getattr(call, "seed", "")))


def executors(seed: int) -> Mapping[type[Call], Executor]:
    return {Generate: Shuffled(seed), Embed: Shuffled(seed + 1)}


def generate(seed: int) -> Generate:
    return Generate(Prompt(prefill="x"), seed=seed)


def job(number: int, rounds: int, passed: list[int]) -> Flow[tuple[int, list[str]]]:
    """Asks a varying number of calls, waits for its turn, and embeds."""
    said: list[str] = []
    for turn in range(rounds):
        replies = yield from ask_all([generate(100 * number + turn + i) for i in range(1 + number % 3)])
        said += [reply.text for reply in replies]
    yield from in_order()
    passed.append(number)
    yield from ask(Embed("label"))
    return number, said


@given(rounds=st.lists(st.integers(0, 3), max_size=30), window=st.integers(1, 12), seed=st.integers(0, 10**6))
def test_values_come_out_and_turns_pass_in_the_order_of_the_flows(rounds: list[int], window: int, seed: int) -> None:
    passed: list[int] = []
    flows = (job(number, turns, passed) for number, turns in enumerate(rounds))
    values = list(drive(flows, executors(seed), window=lambda: window))
    assert [number for number, _ in values] == list(range(len(rounds)))
    assert passed == list(range(len(rounds)))


@given(window=st.integers(1, 12), seed=st.integers(0, 10**6))
def test_every_reply_reaches_the_call_that_asked(window: int, seed: int) -> None:
    flows = (job(number, 2, []) for number in range(15))
    for number, said in drive(flows, executors(seed), window=lambda: window):
        size = 1 + number % 3
        assert said == [str(100 * number + turn + i) for turn in range(2) for i in range(size)]


def test_no_more_flows_are_pulled_than_the_window_allows() -> None:
    pulled: list[int] = []

    def source() -> Iterator[Flow[int]]:
        for number in range(100):
            pulled.append(number)
            yield _one_call(number)

    for done, value in enumerate(drive(source(), executors(1), window=lambda: 4)):
        assert value == done
        assert len(pulled) <= done + 4


def _one_call(number: int) -> Flow[int]:
    yield from ask(generate(number))
    return number


def test_a_closed_window_lets_what_is_under_way_finish_and_then_ends() -> None:
    left = [5]

    def window() -> int:
        return left[0]

    values = []
    for value in drive((_one_call(number) for number in range(100)), executors(3), window=window):
        values.append(value)
        left[0] = 0
    assert values == list(range(5))


def test_flows_that_ask_nothing_pass_through() -> None:
    def nothing(number: int) -> Flow[int]:
        return number
        yield ()

    assert list(drive((nothing(i) for i in range(10)), {}, window=lambda: 1)) == list(range(10))


def test_two_gates_are_each_passed_in_order() -> None:
    first: list[int] = []
    second: list[int] = []

    def flow(number: int) -> Flow[None]:
        yield from in_order()
        first.append(number)
        for turn in range(number % 3):
            yield from ask(generate(turn))
        yield from in_order()
        second.append(number)

    list(drive((flow(i) for i in range(20)), executors(5), window=lambda: 7))
    assert first == second == list(range(20))


def test_an_error_in_a_flow_reaches_the_caller() -> None:
    def broken() -> Flow[None]:
        yield from ask(generate(0))
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        list(drive([broken()], executors(0), window=lambda: 1))


def test_a_batch_holds_all_that_waits_up_to_its_size() -> None:
    sizes: list[int] = []

    def answer(calls: object) -> list[Reply]:
        assert isinstance(calls, list)
        sizes.append(len(calls))
        return [Completion("") for _ in calls]

    batched = Batched[Generate](answer, 4)
    for ticket in range(6):
        batched.submit(ticket, generate(ticket))
    assert [ticket for ticket, _ in batched.collect()] == [0, 1, 2, 3]
    assert [ticket for ticket, _ in batched.collect()] == [4, 5]
    assert sizes == [4, 2]
    assert not batched.collect()


def test_a_refused_call_raises_in_its_own_flow_only() -> None:
    class Refusing(Shuffled):
        def submit(self, ticket: int, call: Call) -> None:
            if isinstance(call, Generate) and call.seed == 31:
                raise CallError("too long")
            super().submit(ticket, call)

    def flow(number: int) -> Flow[str]:
        try:
            replies = yield from ask_all([generate(10 * number), generate(10 * number + 1)])
        except CallError as error:
            return f"{error}"
        return "".join(reply.text for reply in replies)

    values = list(drive((flow(i) for i in range(6)), {Generate: Refusing(2)}, window=lambda: 3))
    assert values == ["01", "1011", "2021", "too long", "4041", "5051"]


@given(bad=st.sets(st.integers(0, 20)), size=st.integers(1, 9), window=st.integers(1, 7))
def test_a_call_that_a_batch_cannot_bear_fails_alone(bad: set[int], size: int, window: int) -> None:
    """An executor whose whole batch is refused because of one call still answers all the others."""

    def answer(calls: Sequence[Generate]) -> Sequence[Reply]:
        for call in calls:
            if call.seed in bad:
                raise CallError(f"cannot answer {call.seed}")
        return [_answer(call) for call in calls]

    def careful(number: int) -> Flow[str]:
        try:
            return (yield from ask_all([generate(number), generate(number + 100)]))[0].text
        except CallError as error:
            return (yield from ask(generate(200 + number))).text + str(error)

    flows = [careful(number) for number in range(21)]
    said = list(drive(flows, {Generate: Batched[Generate](answer, size)}, window=lambda: window))
    assert said == [f"{200 + n}cannot answer {n}" if n in bad else str(n) for n in range(21)]
