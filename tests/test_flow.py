"""Flows, moved by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vsgen.errors import CallError, ChoiceError, CommandError, InputError, TooLongError
from vsgen.flow import (
    Flow,
    Heard,
    Spent,
    ask,
    ask_all,
    directed,
    error_of,
    in_turn,
    metered,
    overheard,
    play,
    refusal,
    together,
    try_all,
)
from vsgen.values import Answer, Call, Completion, Directed, Generate, Prompt, Refused, Usage


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


def answer(calls: Sequence[Call]) -> list[Answer]:
    """Seed 13 is refused."""
    return [
        Refused("too-long", "no room", 9, 5) if one.seed == 13 else Completion(str(one.seed), (1,))
        for one in calls
        if isinstance(one, Generate)
    ]


def test_calls_that_are_refused_are_raised_once_all_are_answered_or_are_values() -> None:
    calls = [call(seed) for seed in (1, 13, 2)]
    assert play(try_all(calls), answer) == [
        Completion("1", (1,)),
        Refused("too-long", "no room", 9, 5),
        Completion("2", (1,)),
    ]
    for flow in (ask_all(calls), ask(call(13))):
        with pytest.raises(TooLongError, match="no room") as error:
            play(flow, answer)
        assert (error.value.tokens, error.value.context) == (9, 5)


@pytest.mark.parametrize(
    "error",
    [
        TooLongError("a", tokens=7, context=3),
        ChoiceError("b"),
        CommandError("c"),
        CallError("d"),
    ],
)
def test_an_error_of_a_call_and_a_refusal_are_two_forms_of_the_same(error: CallError) -> None:
    again = error_of(refusal(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert refusal(again) == refusal(error)


def test_flows_together_have_their_values_in_order_and_end_when_each_ends() -> None:
    assert play(together([chat(1), chat(0), chat(3)]), answer) == [["0"], [], ["0", "1", "2"]]
    assert play(together([chat(1) for _ in ()]), answer) == ()


class Door:
    def admit(self, group: Sequence[str]) -> Sequence[str]:
        return [f"after {one}" for one in group]


def test_a_gate_answers_each_question() -> None:
    assert play(in_turn(Door(), "x"), answer) == "after x"


def test_metered_counts_completions_also_of_flows_that_go_together_and_passes_everything_on() -> None:
    spent = Spent()
    prompt = Prompt(prefill="x")

    def inner() -> Flow[str]:
        yield from ask_all([call(0), call(1)])
        with pytest.raises(CallError):
            yield from ask_all([call(2), call(13)])
        yield from together([chat(2), chat(1)])
        return (yield from in_turn(Door(), "all"))

    assert play(metered(inner(), spent), answer) == "after all"
    assert (spent.replies, spent.tokens, spent.first) == (6, 6, prompt)


def test_calls_that_make_one_reply_together_are_metered_as_one_reply_with_all_their_tokens() -> None:
    spent = Spent()

    def grown() -> Flow[None]:
        yield from together([chat(2), chat(1)], replies=2)  # three calls
        yield from together([chat(0)], replies=3)  # none
        yield from ask(call(4))

    play(metered(grown(), spent), answer)
    assert (spent.replies, spent.tokens) == (3, 4)


def test_a_reply_that_a_server_drew_and_refused_is_metered_with_its_hidden_tokens() -> None:
    def thought(calls: Sequence[Call]) -> list[Answer]:
        return [Refused("refused", "thought to its limit", usage=Usage(5, 50, 50)), Refused("refused", "no")]

    spent = Spent()
    play(metered(try_all([call(1), call(2)]), spent), thought)
    assert (spent.replies, spent.tokens) == (1, 50)


def test_an_overheard_flow_goes_as_it_is_and_every_call_is_noted_with_its_answer() -> None:
    def talk() -> Flow[str]:
        yield from in_turn(Door(), "x")
        reply = yield from ask(call(0))
        with pytest.raises(CallError):
            yield from ask(call(13))
        parts = yield from together([chat(2), directed(chat(1), "judge")])
        return reply.text + "".join(text for part in parts for text in part)

    heard: list[Heard] = []
    flow = overheard(talk(), heard)
    assert play(flow, lambda calls: answer([one.call if isinstance(one, Directed) else one for one in calls])) == "0010"
    assert [(one.call, one.judge) for one in heard] == [
        (call(0), None),
        (call(13), None),
        (call(0), None),
        (call(1), None),
        (call(0), "judge"),
    ]
    assert isinstance(heard[1].reply, Refused)


def test_what_flows_raise_that_go_together_reaches_the_flow_through_all_that_watch_it() -> None:
    def broken() -> Flow[None]:
        yield from ask(call(5))
        raise InputError("a row")

    def whole() -> Flow[str]:
        try:
            yield from together([broken()])
        except InputError as error:
            return str(error)
        return ""

    heard: list[Heard] = []
    flow = metered(overheard(directed(whole(), "judge"), heard), Spent())
    assert play(flow, lambda calls: answer([one.call for one in calls if isinstance(one, Directed)])) == "a row"
    assert [one.judge for one in heard] == ["judge"]
