"""Laws about time, exact and instant: simulated seconds pass while the engine waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.virtual import Batches, Clock, Server, Slow, Stuck
from vsgen.engine.drive import drive
from vsgen.engine.source import Flows
from vsgen.errors import CallError, InputError, ModelError
from vsgen.flow import Flow, ask, ask_all, in_turn
from vsgen.flows.draw import Outcome, Pipeline, Quota
from vsgen.ports import Executor
from vsgen.template.load import load_template
from vsgen.values import Answer, Call, Completion, Embed, Generate, Models, Prompt, Refused, Row, Vector


def generate(seed: int) -> Generate:
    return Generate(Prompt(prefill="x"), seed=seed)


def echo(call: Call) -> Answer:
    if isinstance(call, Embed):
        return Vector(call.text.encode())
    assert isinstance(call, Generate)
    return Completion(str(call.seed))


class Door:
    def __init__(self) -> None:
        self.passed: list[int] = []

    def admit(self, group: Sequence[int]) -> Sequence[int]:
        self.passed += group
        return group


def one_call(number: int) -> Flow[int]:
    yield from ask(generate(number))
    return number


def two_calls(number: int) -> Flow[int]:
    yield from ask(generate(number))
    yield from ask(Embed(str(number)))
    return number


def behind(door: Door, number: int) -> Flow[int]:
    """Asks, passes the gate and asks again."""
    yield from ask(generate(number))
    yield from in_turn(door, number)
    yield from ask(generate(100 + number))
    return number


def ends(clock: Clock, values: Iterator[int]) -> list[tuple[int, float]]:
    return [(value, clock.now) for value in values]


def test_an_endpoint_is_full_from_the_first_to_the_last_flow() -> None:
    clock = Clock()
    server = Server(clock, echo, lambda _: 2.0, limit=4)
    found = ends(clock, drive(Flows(one_call(n) for n in range(10)), {Generate: server}, clock))
    assert found == [(n, 2.0 * (1 + n // 4)) for n in range(10)]
    assert server.most == 4


def test_a_large_endpoint_is_full_before_its_first_answer() -> None:
    clock = Clock()
    server = Server(clock, echo, lambda _: 2.0, limit=300)
    assert list(drive(Flows(one_call(n) for n in range(300)), {Generate: server}, clock)) == list(range(300))
    assert (server.most, clock.now) == (300, 2.0)


def test_two_executors_work_at_the_same_time() -> None:
    clock = Clock()
    executors: dict[type[Call], Executor] = {
        Generate: Server(clock, echo, lambda _: 1.0, limit=1),
        Embed: Batches(clock, echo, seconds=1.0, size=1),
    }
    found = ends(clock, drive(Flows(two_calls(n) for n in range(6)), executors, clock))
    assert found == [(n, 2.0 + n) for n in range(6)], "one after the other they would take two seconds a flow"


def test_a_slow_call_holds_back_the_output_and_nobody_else() -> None:
    clock = Clock()
    server = Server(clock, echo, lambda call: 60.0 if call == generate(0) else 1.0, limit=2)
    found = ends(clock, drive(Flows(one_call(n) for n in range(30)), {Generate: server}, clock))
    assert [when for _, when in found] == [60.0] * 30
    assert server.asked == 30


def test_later_flows_pass_a_gate_while_an_earlier_one_works_behind_it() -> None:
    clock, door, passed = Clock(), Door(), {}

    def latency(call: Call) -> float:
        passed[call] = list(door.passed)
        return 50.0 if call == generate(100) else 1.0

    server = Server(clock, echo, latency, limit=3)
    list(drive(Flows(behind(door, n) for n in range(12)), {Generate: server}, clock))
    assert clock.now == 51.0
    assert door.passed == list(range(12))
    assert passed[generate(111)] == list(range(12))


def test_a_flow_whose_answer_never_comes_holds_up_those_behind_it_and_no_earlier_one() -> None:
    clock, values = Clock(), list[int]()
    server = Server(clock, echo, lambda call: None if call == generate(5) else 1.0, limit=4)
    with pytest.raises(Stuck):
        for value in drive(Flows(one_call(n) for n in range(20)), {Generate: server}, clock):
            values.append(value)
    assert values == list(range(5))
    assert server.asked == 20


def test_no_more_than_so_many_flows_are_unfinished_behind_one_that_never_ends() -> None:
    clock = Clock()
    server = Server(clock, echo, lambda call: None if call == generate(0) else 1.0, limit=4)
    with pytest.raises(Stuck):
        list(drive(Flows(one_call(n) for n in range(200)), {Generate: server}, clock, unfinished=50))
    assert server.asked == 50


def test_what_a_slow_source_has_given_comes_out_before_the_source_ends() -> None:
    clock = Clock()
    source = Slow(clock, (one_call(n) for n in range(3)), seconds=6.0)
    server = Server(clock, echo, lambda _: 0.5)
    assert ends(clock, drive(source, {Generate: server}, clock)) == [(0, 6.5), (1, 12.5), (2, 18.5)]


@given(seconds=st.lists(st.floats(0.1, 9), min_size=12, max_size=12), pace=st.floats(0.1, 5))
def test_a_source_and_an_endpoint_of_any_pace_give_the_same_values(seconds: list[float], pace: float) -> None:
    clock, door = Clock(), Door()
    source = Slow(clock, (behind(door, n) for n in range(12)), seconds=pace)
    server = Server(clock, echo, lambda call: seconds[call.seed % 12] if isinstance(call, Generate) else 0, limit=3)
    assert list(drive(source, {Generate: server}, clock)) == list(range(12))
    assert door.passed == list(range(12))


def test_a_wrong_line_is_told_after_all_before_it_is_out() -> None:
    def flows() -> Iterator[Flow[int]]:
        yield from (one_call(n) for n in range(3))
        raise InputError("rows.jsonl:4: not a JSON object")

    clock, found = Clock(), list[tuple[int, float]]()
    server = Server(clock, echo, lambda _: 30.0)
    with pytest.raises(InputError, match=r"rows\.jsonl:4"):
        for value in drive(Slow(clock, flows(), seconds=1.0), {Generate: server}, clock):
            found.append((value, clock.now))
    assert found == [(0, 31.0), (1, 32.0), (2, 33.0)]


def test_an_error_of_a_flow_starts_nothing_more() -> None:
    def broken(number: int) -> Flow[int]:
        yield from ask(generate(number))
        if number == 5:
            raise InputError("no")
        return number

    clock, values = Clock(), list[int]()
    server = Server(clock, echo, lambda call: 9.0 if call == generate(2) else 1.0, limit=6)
    with pytest.raises(InputError, match="no"):
        for value in drive(Slow(clock, map(broken, range(100)), seconds=0.5), {Generate: server}, clock):
            values.append(value)
    assert values == list(range(5))
    assert server.asked <= 8


def test_a_device_that_fails_while_others_compute_ends_all() -> None:
    clock = Clock()
    clock.after(3.0, lambda: clock.fail(ModelError("the endpoint is gone")))
    server = Server(clock, echo, lambda _: 1.0, limit=1)
    values = []
    with pytest.raises(ModelError, match="the endpoint is gone"):
        for value in drive(Flows(one_call(n) for n in range(9)), {Generate: server}, clock):
            values.append(value)
    assert values == [0, 1]


def test_closing_early_waits_for_nothing() -> None:
    clock = Clock()
    server = Server(clock, echo, lambda call: 1.0 if call == generate(0) else None)
    values = drive(Flows(one_call(n) for n in range(9)), {Generate: server}, clock)
    assert next(values) == 0
    values.close()
    assert clock.now == 1.0


@pytest.mark.parametrize("skip", [False, True])
def test_a_refusal_without_a_row_ends_a_run_only_where_errors_stop_it(skip: bool, tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("version: 1\nname: t\nprompt: Say something.\nsampling: {method: direct, k: 1}\ndedup: false\n")
    template, clock = load_template(str(path)), Clock()
    pipeline = Pipeline(template, seed=0, models=Models("m"), index=None, quota=Quota(None), skip_bad_rows=skip)
    asked: list[Call] = []

    def answer(call: Call) -> Answer:
        return Refused("refused", "the provider's filter refused it") if asked.index(call) == 4 else Completion("yes")

    def latency(call: Call) -> float:
        asked.append(call)
        return 1.0

    server, found = Server(clock, answer, latency, limit=1), list[Outcome]()
    draws = drive(Flows(pipeline.draw(Row(0), n) for n in range(8)), {Generate: server}, clock)
    if skip:
        found = list(draws)
        assert [len(one.records) for one in found] == [1, 1, 1, 1, 0, 1, 1, 1]
        assert [one.reason for one in found[4].rejected] == ["refused"]
        assert sum(one.candidates for one in found) == 8
        return
    with pytest.raises(CallError, match="the provider's filter refused it"):
        for one in draws:
            found.append(one)
    assert len(found) == 4


def test_the_replies_that_a_refused_one_stands_among_are_waited_for() -> None:
    def flow() -> Flow[str]:
        try:
            yield from ask_all([generate(n) for n in range(3)])
        except CallError as error:
            return f"{error} at {clock.now}"
        return "nothing"

    def answer(call: Call) -> Answer:
        return Refused("refused", "no") if call == generate(0) else echo(call)

    def latency(call: Call) -> float:
        return 1.0 + call.seed if isinstance(call, Generate) else 0.0

    clock = Clock()
    assert list(drive(Flows([flow()]), {Generate: Server(clock, answer, latency)}, clock)) == ["no at 3.0"]
