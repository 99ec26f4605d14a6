"""Flows, moved by hand."""

from __future__ import annotations

import pytest

from vsgen.errors import CallError
from vsgen.flow import Flow, Heard, InOrder, Spent, ask, ask_all, directed, in_order, metered, overheard, together
from vsgen.values import Completion, Generate, Prompt


def call(seed: int) -> Generate:
    return Generate(Prompt(prefill="x"), seed=seed)


def chat(turns: int) -> Flow[list[str]]:
    said: list[str] = []
    for turn in range(turns):
        said.append((yield from ask(call(turn))).text)
    return said


def test_ask_yields_one_call_and_returns_its_reply() -> None:
    flow = ask(call(7))
    assert next(flow) == (call(7),)
    with pytest.raises(StopIteration) as stop:
        flow.send([Completion("hello")])
    assert stop.value.value == Completion("hello")


def test_asking_nothing_waits_for_nothing() -> None:
    with pytest.raises(StopIteration) as stop:
        next(ask_all([call(1) for _ in ()]))
    assert stop.value.value == ()


def test_flows_together_share_their_rounds_and_end_when_each_ends() -> None:
    flow = together([chat(1), chat(0), chat(3)])
    sizes = []
    asked = next(flow)
    try:
        while True:
            assert not isinstance(asked, type(in_order()))
            sizes.append(len(asked))  # type: ignore[arg-type]
            asked = flow.send([Completion(str(one.seed)) for one in asked])  # type: ignore[union-attr]
    except StopIteration as stop:
        values = stop.value
    assert sizes == [2, 1, 1]
    assert values == [["0"], [], ["0", "1", "2"]]


def test_a_flow_inside_together_may_not_wait_for_its_turn() -> None:
    with pytest.raises(TypeError, match="turn"):
        next(together([in_order()]))


def test_metered_counts_completions_and_passes_everything_on() -> None:
    spent = Spent()

    def inner() -> Flow[str]:
        yield from ask_all([Generate(Prompt(), seed=0), Generate(Prompt(), seed=1)])
        try:
            yield from ask(Generate(Prompt(), seed=2))
        except CallError:
            yield from in_order()
        return "done"

    flow = metered(inner(), spent)
    assert len(list(next(flow))) == 2  # type: ignore[arg-type]
    flow.send([Completion("a", (1, 2)), Completion("b", (3,))])
    assert isinstance(flow.throw(CallError("too long")), InOrder)
    with pytest.raises(StopIteration) as stop:
        flow.send(())
    assert (stop.value.value, spent.calls, spent.tokens) == ("done", 2, 3)


def test_an_overheard_flow_goes_as_it_is_and_every_call_is_noted_with_its_reply() -> None:
    first, second, refused = (Generate(Prompt(), seed) for seed in range(3))

    def talk() -> Flow[str]:
        yield from in_order()
        reply = yield from ask(first)
        other = yield from directed(ask(second), "judge")
        with pytest.raises(CallError):
            yield from ask(refused)
        return reply.text + other.text

    heard: list[Heard] = []
    flow, error = overheard(talk(), heard), CallError("too long")
    assert isinstance(next(flow), InOrder)
    assert flow.send(()) == (first,)
    flow.send([Completion("a")])
    assert flow.send([Completion("b")]) == (refused,)
    with pytest.raises(StopIteration) as stop:
        flow.throw(error)
    assert stop.value.value == "ab"
    assert heard == [
        Heard(first, Completion("a")),
        Heard(second, Completion("b"), "judge"),
        Heard(refused, error),
    ]
