"""The engine's promises: order out, gates passed in order, no more under way than allowed, and nothing lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from weakref import WeakSet

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsgen.engine.drive import drive
from vsgen.engine.source import Flows
from vsgen.errors import CallError, InputError, ModelError
from vsgen.flow import Flow, ask, ask_all, in_turn, together
from vsgen.ports import Ticket
from vsgen.values import Answer, Call, Completion, Embed, Generate, Prompt, Refused, Vector


@dataclass(frozen=True)
class Value:
    """Of a flow."""

    number: int


class Shuffled:
    """An executor and its mailbox: a random few of the waiting calls are answered at a time, as by a server."""

    def __init__(self, seed: int, *, room: int = 100, refused: Sequence[int] = ()) -> None:
        self._rng = Random(seed)
        self._room = room
        self._refused = refused
        self.waiting: list[tuple[Ticket, Call]] = []
        self.executors: dict[type[Call], Shuffled] = {Generate: self, Embed: self}

    def submit(self, ticket: Ticket, call: Call) -> None:
        self.waiting.append((ticket, call))

    def flush(self) -> None: ...

    def room(self) -> int:
        return self._room - len(self.waiting)

    def close(self, *, cancel: bool) -> None: ...

    def wait(self, seconds: float | None = None) -> list[tuple[Ticket, Answer]]:
        assert self.waiting or seconds == 0, "the engine waits for nothing"
        self._rng.shuffle(self.waiting)
        count = self._rng.randint(min(1, len(self.waiting)), len(self.waiting))
        answered, self.waiting = self.waiting[:count], self.waiting[count:]
        return [(ticket, self._answer(call)) for ticket, call in answered]

    def _answer(self, call: Call) -> Answer:
        if isinstance(call, Embed):
            return Vector(call.text.encode())
        assert isinstance(call, Generate)
        return Refused("refused", "too long") if call.seed in self._refused else Completion(str(call.seed))


class Door:
    """A gate that notes who passes, and in which groups."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []

    @property
    def passed(self) -> list[int]:
        return [number for group in self.groups for number in group]

    def admit(self, group: Sequence[int]) -> Sequence[str]:
        self.groups.append(list(group))
        return [f"{number} of {len(self.passed)}" for number in group]


def generate(seed: int) -> Generate:
    return Generate(Prompt(prefill="x"), seed=seed)


def one_call(number: int) -> Flow[int]:
    yield from ask(generate(number))
    return number


def job(number: int, rounds: int, door: Door) -> Flow[tuple[int, list[str]]]:
    """Asks a varying number of calls, waits for its turn, and embeds."""
    said: list[str] = []
    for turn in range(rounds):
        replies = yield from ask_all([generate(100 * number + turn + i) for i in range(1 + number % 3)])
        said += [reply.text for reply in replies]
    yield from in_turn(door, number)
    yield from ask(Embed("label"))
    return number, said


@given(
    rounds=st.lists(st.integers(0, 3), max_size=30),
    most=st.integers(1, 12),
    room=st.integers(1, 40),
    seed=st.integers(0, 10**6),
)
def test_values_come_out_and_gates_are_passed_in_the_order_of_the_flows(
    rounds: list[int], most: int, room: int, seed: int
) -> None:
    door, server = Door(), Shuffled(seed, room=room)
    flows = Flows(job(number, turns, door) for number, turns in enumerate(rounds))
    values = list(drive(flows, server.executors, server, most=lambda: most))
    assert [number for number, _ in values] == list(range(len(rounds)))
    assert door.passed == list(range(len(rounds)))


@given(most=st.integers(1, 12), seed=st.integers(0, 10**6))
def test_every_reply_reaches_the_call_that_asked(most: int, seed: int) -> None:
    server = Shuffled(seed)
    flows = Flows(job(number, 2, Door()) for number in range(15))
    for number, said in drive(flows, server.executors, server, most=lambda: most):
        size = 1 + number % 3
        assert said == [str(100 * number + turn + i) for turn in range(2) for i in range(size)]


@pytest.mark.parametrize("unfinished", [4, 1000])
def test_no_more_flows_are_pulled_than_are_wanted_or_may_be_unfinished(unfinished: int) -> None:
    pulled: list[int] = []

    def source() -> Iterator[Flow[int]]:
        for number in range(100):
            pulled.append(number)
            yield one_call(number)

    server = Shuffled(1)
    most = None if unfinished == 4 else lambda: 4
    for done, value in enumerate(drive(Flows(source()), server.executors, server, most=most, unfinished=unfinished)):
        assert value == done
        assert len(pulled) <= done + 4


def test_flows_are_started_only_while_there_is_room_for_their_calls() -> None:
    most = 0

    class Watched(Shuffled):
        def wait(self, seconds: float | None = None) -> list[tuple[Ticket, Answer]]:
            nonlocal most
            most = max(most, len(self.waiting))
            return super().wait(seconds)

    server = Watched(3, room=10)
    assert list(drive(Flows(one_call(n) for n in range(200)), server.executors, server)) == list(range(200))
    assert most == 10


def test_when_no_more_is_wanted_what_is_under_way_is_finished_and_then_it_ends() -> None:
    left, server, values = [5], Shuffled(3), []
    for value in drive(Flows(one_call(n) for n in range(100)), server.executors, server, most=lambda: left[0]):
        values.append(value)
        left[0] = 0
    assert values == list(range(5))


def test_flows_that_ask_nothing_pass_through() -> None:
    def nothing(number: int) -> Flow[int]:
        yield ()
        return number

    server = Shuffled(0)
    assert list(drive(Flows(nothing(i) for i in range(200)), {}, server, most=lambda: 1)) == list(range(200))


def test_two_gates_are_each_passed_in_order() -> None:
    first, second = Door(), Door()

    def flow(number: int) -> Flow[None]:
        yield from in_turn(first, number)
        for turn in range(number % 3):
            yield from ask(generate(turn))
        yield from in_turn(second, number)

    server = Shuffled(5)
    list(drive(Flows(flow(i) for i in range(20)), server.executors, server))
    assert first.passed == second.passed == list(range(20))


def test_flows_that_have_come_to_a_gate_in_order_pass_as_one_group_and_each_gets_its_answer() -> None:
    door = Door()

    def flow(number: int) -> Flow[str]:
        yield from ask(generate(number))
        return (yield from in_turn(door, number))

    class Backwards(Shuffled):
        def wait(self, seconds: float | None = None) -> list[tuple[Ticket, Answer]]:
            last = max(self.waiting)
            self.waiting.remove(last)
            return [(last[0], self._answer(last[1]))]

    server = Backwards(0)
    server.waiting = []
    found = list(drive(Flows(flow(n) for n in range(6)), server.executors, server))
    assert door.groups == [[0, 1, 2, 3, 4, 5]]
    assert found == [f"{n} of 6" for n in range(6)]


class Patient(Shuffled):
    """Answers one call at a time, the oldest flow's, but one call only where nothing else waits; notes the order."""

    def __init__(self, last: int) -> None:
        super().__init__(0)
        self._last = last
        self.answered: list[int] = []

    def wait(self, seconds: float | None = None) -> list[tuple[Ticket, Answer]]:
        assert self.waiting or seconds == 0, "the engine waits for nothing"
        if not self.waiting:
            return []
        ticket, call = min(self.waiting, key=lambda one: (_seed(one[1]) == self._last, one[0]))
        self.waiting.remove((ticket, call))
        self.answered.append(_seed(call))
        return [(ticket, self._answer(call))]


def _seed(call: Call) -> int:
    assert isinstance(call, Generate)
    return call.seed


@pytest.mark.parametrize("slow", [0, 2])
def test_later_flows_pass_a_gate_and_end_while_an_earlier_one_works_behind_it(slow: int) -> None:
    first, second = Door(), Door()

    def flow(number: int) -> Flow[int]:
        yield from ask(generate(number))
        yield from in_turn(first, number)
        yield from ask(generate(100 + number))
        yield from in_turn(second, number)
        yield from ask(generate(200 + number))
        return number

    server = Patient(200 + slow)
    assert list(drive(Flows(flow(n) for n in range(6)), server.executors, server)) == list(range(6))
    assert server.answered[-1] == 200 + slow, "others waited for it"
    assert len(server.answered) == 18


def test_later_flows_work_up_to_the_next_gate_while_an_earlier_one_works_behind_the_last() -> None:
    first, second = Door(), Door()

    def flow(number: int) -> Flow[int]:
        yield from in_turn(first, number)
        yield from ask(generate(100 + number))
        yield from in_turn(second, number)
        return len(first.passed)

    server = Patient(100)
    assert list(drive(Flows(flow(n) for n in range(6)), server.executors, server)) == [6] * 6
    assert server.answered == [101, 102, 103, 104, 105, 100]
    assert second.groups == [[0, 1, 2, 3, 4, 5]]


@given(seed=st.integers(0, 10**6))
def test_flows_that_go_together_move_each_at_its_own_pace(seed: int) -> None:
    def part(number: int) -> Flow[list[str]]:
        said = []
        for turn in range(number):
            said.append((yield from ask(generate(10 * number + turn))).text)
        return said

    def whole() -> Flow[Sequence[list[str]]]:
        inner = yield from together([part(number) for number in (3, 0, 2)])
        return [*inner, *(yield from together([part(1)]))]

    server = Shuffled(seed)
    expected = [["30", "31", "32"], [], ["20", "21"], ["10"]]
    assert list(drive(Flows(whole() for _ in range(4)), server.executors, server)) == [expected] * 4


@given(seed=st.integers(0, 10**6))
def test_what_flows_that_go_together_raise_is_raised_once_all_have_ended_the_first_in_order(seed: int) -> None:
    ended: list[int] = []

    def part(number: int) -> Flow[int]:
        for turn in range(4 - number):
            yield from ask(generate(turn))
        ended.append(number)
        if number in {1, 2}:
            raise InputError(f"part {number}")
        return number

    def whole() -> Flow[str]:
        try:
            yield from together([part(number) for number in range(4)])
        except InputError as error:
            return f"{error} of {sorted(ended)}"
        return "nothing"

    server = Shuffled(seed)
    assert list(drive(Flows([whole()]), server.executors, server)) == ["part 1 of [0, 1, 2, 3]"]


def test_a_flow_that_goes_together_may_not_wait_for_its_turn() -> None:
    server = Shuffled(0)
    with pytest.raises(TypeError, match="turn"):
        list(drive(Flows([together([in_turn(Door(), 0)])]), server.executors, server))


def test_a_refused_call_raises_in_its_own_flow_only_and_after_all_others_are_answered() -> None:
    def flow(number: int) -> Flow[str]:
        try:
            replies = yield from ask_all([generate(10 * number), generate(10 * number + 1)])
        except CallError as error:
            return f"{error}"
        return "".join(reply.text for reply in replies)

    server = Shuffled(2, refused=[31])
    values = list(drive(Flows(flow(i) for i in range(6)), server.executors, server, most=lambda: 3))
    assert values == ["01", "1011", "2021", "too long", "4041", "5051"]


@given(broken=st.sets(st.integers(0, 19), min_size=1), seed=st.integers(0, 10**6))
def test_an_error_of_a_flow_is_raised_when_all_before_it_is_handed_out(broken: set[int], seed: int) -> None:
    def flow(number: int) -> Flow[int]:
        for turn in range(number % 4):
            yield from ask(generate(turn))
        if number in broken:
            raise InputError(f"flow {number}")
        return number

    server, values = Shuffled(seed), []
    with pytest.raises(InputError, match=f"flow {min(broken)}$"):
        for value in drive(Flows(flow(n) for n in range(20)), server.executors, server):
            values.append(value)
    assert values == list(range(min(broken)))


@given(broken=st.sets(st.integers(0, 14)), closed=st.integers(0, 14), seed=st.integers(0, 10**6))
def test_an_error_of_a_gate_ends_all_from_its_group_on_and_an_earlier_one_of_a_flow_goes_before(
    broken: set[int], closed: int, seed: int
) -> None:
    class Closed(Door):
        def admit(self, group: Sequence[int]) -> Sequence[str]:
            if max(group) >= closed:
                raise InputError("closed")
            return super().admit(group)

    def flow(number: int, door: Door) -> Flow[int]:
        for turn in range(number % 3):
            yield from ask(generate(turn))
        yield from in_turn(door, number)
        yield from ask(generate(number))
        if number in broken:
            raise InputError(f"flow {number}")
        return number

    server, values, door = Shuffled(seed), [], Closed()
    with pytest.raises(InputError) as error:
        for value in drive(Flows(flow(n, door) for n in range(15)), server.executors, server, most=lambda: 3):
            values.append(value)
    assert values == list(range(len(values)))
    if str(error.value) == "closed":
        assert values == [number for number in door.passed if number < len(values)] == door.passed
        assert len(values) <= min([closed, *broken])
    else:
        assert str(error.value) == f"flow {min(broken)}"
        assert len(values) == min(broken) < closed


@given(good=st.integers(0, 9), seed=st.integers(0, 10**6))
def test_an_error_of_the_source_is_raised_when_all_before_it_is_handed_out(good: int, seed: int) -> None:
    def source() -> Iterator[Flow[int]]:
        yield from (one_call(number) for number in range(good))
        raise InputError("not a row")

    server, values = Shuffled(seed), []
    with pytest.raises(InputError, match="not a row"):
        for value in drive(Flows(source()), server.executors, server):
            values.append(value)
    assert values == list(range(good))


def test_a_fault_of_the_program_is_raised_at_once() -> None:
    def broken() -> Flow[None]:
        yield from ask(generate(0))
        raise ValueError("boom")

    server = Shuffled(0)
    with pytest.raises(ValueError, match="boom"):
        list(drive(Flows([broken()]), server.executors, server))


def test_a_device_that_failed_for_good_ends_all_at_once() -> None:
    class Dead(Shuffled):
        def wait(self, seconds: float | None = None) -> list[tuple[Ticket, Answer]]:
            raise ModelError("the endpoint is gone")

    server = Dead(0)
    with pytest.raises(ModelError, match="the endpoint is gone"):
        list(drive(Flows([one_call(0)]), server.executors, server))


def test_answers_to_flows_that_were_given_up_reach_nobody() -> None:
    server = Shuffled(4)
    for _ in drive(Flows(one_call(number) for number in range(50)), server.executors, server):
        break
    assert server.waiting
    assert list(drive(Flows(one_call(n) for n in range(50)), server.executors, server)) == list(range(50))


@pytest.mark.parametrize("unfinished", [2, 100])
def test_an_engine_whose_calls_are_never_answered_asks_all_that_it_can_and_stops(unfinished: int) -> None:
    device = Shuffled(0)
    silent = Shuffled(1)
    asked: list[Call] = []

    def flow(number: int) -> Flow[int]:
        yield from ask(Embed(str(number)))
        if number >= 5:
            yield from ask(Generate(Prompt(), seed=number))
        return number

    def forget() -> None:
        asked.extend(call for _, call in silent.waiting)
        silent.waiting.clear()

    executors: dict[type[Call], Shuffled] = {Embed: device, Generate: silent}
    flows, stalled = Flows(map(flow, range(20))), lambda: not device.waiting
    found = list(drive(flows, executors, device, unfinished=unfinished, stalled=stalled, forget=forget))
    assert found == list(range(5))
    assert sorted(call.seed for call in asked if isinstance(call, Generate)) == list(range(5, 20))


def test_all_flows_behind_one_that_is_never_answered_are_moved_and_few_of_their_values_held() -> None:
    device, silent = Shuffled(0), Shuffled(1)
    started, held = 0, WeakSet[Value]()
    most = 0

    def flow(number: int) -> Flow[Value]:
        nonlocal started, most
        started, most = started + 1, max(most, len(held))
        yield from ask(Generate(Prompt(), seed=number) if number == 3 else Embed(str(number)))
        held.add(value := Value(number))
        return value

    executors: dict[type[Call], Shuffled] = {Embed: device, Generate: silent}
    stalled = lambda: not device.waiting  # noqa: E731
    found = list(
        drive(
            Flows(map(flow, range(1000))),
            executors,
            device,
            unfinished=10,
            stalled=stalled,
            forget=silent.waiting.clear,
        )
    )
    assert [one.number for one in found] == [0, 1, 2]
    assert started == 1000
    assert most <= 3 + 10
