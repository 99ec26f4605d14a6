"""Calls find the model that they name, also where an executor is shared."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.engine.inline import Inline
from vsgen.engine.drive import drive
from vsgen.engine.mailbox import Mailbox
from vsgen.engine.queues import Batched, Directory
from vsgen.engine.source import Flows
from vsgen.engine.worker import Worker
from vsgen.flow import Flow, ask, ask_all, directed, together
from vsgen.ports import Executor, Ticket
from vsgen.values import Call, Completion, Directed, Generate, Prompt, Score


def named(name: str) -> Batched[Generate]:
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
    mailbox = Mailbox()
    own, other = (Worker({Generate: named(name)}, mailbox, name=name, capacity=9) for name in ("own", "a"))
    models: dict[str, dict[type[Call], Executor]] = {"a": {Generate: other}, "own": {Generate: own}}
    executors: dict[type[Call], Executor] = {Generate: own, Directed: Directory(models)}
    try:
        found = list(drive(Flows(both(seed) for seed in range(7)), executors, mailbox))
    finally:
        own.close(cancel=True)
        other.close(cancel=True)
    assert found == [[f"own {s}", f"a {s}", f"a {s + 1}", f"own {s}"] for s in range(7)]


def test_a_directory_has_as_much_room_as_the_fullest_of_its_models() -> None:
    free, full = Inline({Generate: named("a")}), Inline({Generate: named("b")})
    for place in range(5):
        full.submit(Ticket(0, place), call(place))
    assert Directory({"a": {Generate: free}, "b": {Generate: full}}).room() == free.room() - 5


def test_a_call_that_names_no_model_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError, match="names no model"):
        Directory({}).submit(Ticket(0, 1), Score(Prompt(), ("a",)))
