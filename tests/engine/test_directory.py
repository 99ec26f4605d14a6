"""Calls find the model that they name, also where an executor is shared."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vsgen.engine.drive import drive
from vsgen.engine.executors import Batched, Directory
from vsgen.flow import Flow, ask, ask_all, directed, together
from vsgen.ports import Executor
from vsgen.values import Call, Completion, Directed, Generate, Prompt, Score


def named(name: str) -> Executor:
    def answer(calls: Sequence[Generate]) -> list[Completion]:
        return [Completion(f"{name} {call.seed}") for call in calls]

    return Batched[Generate](answer, 2)


def call(seed: int) -> Generate:
    return Generate(Prompt(prefill="x"), seed=seed)


def asking(seeds: Sequence[int]) -> Flow[list[str]]:
    replies = yield from ask_all([call(seed) for seed in seeds])
    return [reply.text for reply in replies]


def both(seed: int) -> Flow[list[str]]:
    """Asks the run's own model and two others."""
    own = yield from ask(call(seed))
    others = yield from together([directed(asking([seed, seed + 1]), "a"), directed(asking([seed]), "own")])
    return [own.text, *others[0], *others[1]]


def test_every_call_is_answered_by_the_model_that_it_names() -> None:
    own = named("own")
    models: dict[str, dict[type[Call], Executor]] = {"a": {Generate: named("a")}, "own": {Generate: own}}
    executors: dict[type[Call], Executor] = {Generate: own, Directed: Directory(models)}
    found = list(drive((both(seed) for seed in range(7)), executors, window=lambda: 4))
    assert found == [[f"own {s}", f"a {s}", f"a {s + 1}", f"own {s}"] for s in range(7)]


def test_nothing_waits_where_a_shared_executor_has_answered_already() -> None:
    own = named("own")
    directory = Directory({"own": {Generate: own}})
    directory.submit(1, Directed("own", call(1)))
    assert [ticket for ticket, _ in own.collect()] == [1]
    assert directory.collect() == ()


def test_a_call_that_names_no_model_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError, match="names no model"):
        Directory({}).submit(1, Score(Prompt(), ("a",)))
