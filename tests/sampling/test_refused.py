"""What is refused costs no more than itself: a method keeps its other replies, and the weights still sum to one."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from random import Random
from typing import get_args

import pytest

from vsgen.backends.table import TableModel
from vsgen.flow import play
from vsgen.sampling.methods import open_sampler
from vsgen.sampling.settings import Engine, Method, Power, Sampling, Settings
from vsgen.values import Answer, Call, Completion, Distribution, Generate, Message, Prompt, Refused

TASK = Prompt((Message("user", "Name a colour."),))
NO = Refused("refused", "the provider's filter refused it")
LONG = Refused("too-long", "9 tokens and room for 5", 9, 5)
LIST = json.dumps({"responses": [{"text": text, "probability": 0.3} for text in ("red", "green")]})
TABLE = TableModel.random(3, symbols="ab", length=4)
METHODS: tuple[Method, ...] = get_args(Method)


def drawn(sampling: Sampling, *refusals: Refused | None) -> Distribution:
    """A draw whose i-th call gets the i-th refusal; None and all later ones are answered."""
    left = iter(refusals)

    def answer(calls: Sequence[Call]) -> list[Answer]:
        return [next(left, None) or reply(call) for call in calls if isinstance(call, Generate)]

    def reply(call: Generate) -> Completion:
        if sampling.method == "power":
            return TABLE.generate([call])[0]
        return Completion("red" if sampling.method in {"direct", "multi-turn"} else LIST, (1, 2), -1.0, -1.0)

    return play(open_sampler(Settings(sampling))(TASK, Random(0)), answer)


def weight(made: Distribution) -> float:
    return math.fsum([one.weight for one in made.candidates] + [one.weight for one in made.malformed])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("why", [NO, LONG])
def test_a_draw_without_any_reply_says_why_and_has_all_its_weight(method: Method, why: Refused) -> None:
    made = drawn(Sampling(method=method, k=4), *[why] * 100)
    assert made.refused == why
    assert not made.candidates
    assert weight(made) == pytest.approx(1)
    assert all(lost.refused == why and lost.problem == why.problem for lost in made.malformed)


@pytest.mark.parametrize("method", ["direct", "cot"])
def test_independent_replies_do_not_suffer_from_one_that_is_refused(method: Method) -> None:
    made = drawn(Sampling(method=method, k=4), None, NO)
    assert len({one.reply for one in made.candidates} | {one.reply for one in made.malformed}) == 4
    assert [(one.reply, one.refused, one.weight) for one in made.malformed if one.refused] == [(1, NO, 0.25)]
    assert made.refused is None
    assert weight(made) == pytest.approx(1)


@pytest.mark.parametrize("method", ["multi-turn", "vs-multi"])
def test_a_conversation_ends_with_what_is_refused_and_what_was_said_counts(method: Method) -> None:
    made = drawn(Sampling(method=method, k=6), None, NO)
    assert made.candidates
    assert [one.refused for one in made.malformed] == [NO]
    assert weight(made) == pytest.approx(1)


@pytest.mark.parametrize("method", ["multi-turn", "vs-multi"])
def test_a_conversation_that_has_become_too_long_loses_nothing(method: Method) -> None:
    made = drawn(Sampling(method=method, k=6), None, LONG)
    assert made.candidates
    assert not made.malformed
    assert weight(made) == pytest.approx(1)


@pytest.mark.parametrize("engine", get_args(Engine))
@pytest.mark.parametrize("at", [0, 3, 40])
def test_power_goes_on_without_a_reply_where_its_engine_can(engine: Engine, at: int) -> None:
    how = Sampling(method="power", k=5, max_tokens=6, power=Power(engine=engine, ess=1.0, particles=3, check_every=2))
    made = drawn(how, *[None] * at, NO)
    assert len({one.reply for one in made.candidates} | {one.reply for one in made.malformed}) == 5
    assert weight(made) == pytest.approx(1)
    lost = [one for one in made.malformed if one.refused]
    if engine in {"is", "low-temperature"}:
        assert [one.weight for one in lost] == [pytest.approx(0.2)] * (at < 5)
        assert math.fsum(one.vote or 0.0 for one in made.candidates) == pytest.approx(0.8 if at < 5 else 1)
    elif engine == "mh":
        assert len(lost) in {0, 5}, "a chain cannot go on without its proposal"
    else:
        assert len(lost) <= 1
