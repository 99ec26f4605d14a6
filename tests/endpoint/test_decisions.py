"""Decisions over a socket, in both published forms, against what the embedded model says in this process."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.endpoint.own_decisions import shares
from tests.endpoint.plan import Plan
from tests.endpoint.server import Server, serving
from vsgen.backends.decoding.model import BatchedModel
from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.decisions import FORMS, REFUSED, DecisionWire
from vsgen.backends.endpoint.examined import examined
from vsgen.backends.endpoint.settings import Settings, Target
from vsgen.backends.endpoint.transport import Transport
from vsgen.backends.endpoint.wire import Abilities, Decisions
from vsgen.backends.open import open_model
from vsgen.engine.mailbox import Mailbox
from vsgen.labels.words import question
from vsgen.ports import Ticket
from vsgen.values import Answer, Decide, Decided, Decision, Refused, TypedQuestion, Usage

TEXT = "I was charged twice for the same order."
QUEUE = TypedQuestion("choice", "Which queue should take this ticket?", ("billing", "bug", "question"))
TURNED = TypedQuestion("choice", QUEUE.text, QUEUE.options[::-1])
URGENT = TypedQuestion("predicate", "Is this urgent?")
TONE = TypedQuestion("score", "How upset is the customer?", ("calm", "annoyed", "furious"))
SPELLED = TypedQuestion("choice", QUEUE.text, ("billing", "how-to"))


@pytest.fixture(scope="module")
def tiny() -> BatchedModel:
    model = open_model("tiny")
    assert isinstance(model, BatchedModel)
    return model


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(Plan(model="tiny", refused="urgent")) as one:
        yield one


def decided(server: Server, form: Decisions, *questions: TypedQuestion) -> Answer:
    """The answer to one call."""
    mailbox = Mailbox()
    target = Target(read_address(server.url), None, DecisionWire(), "tiny", Abilities(decisions=form))
    executor = Transport(Settings(), Random(0)).executor(target, mailbox)
    executor.submit(Ticket(0, 0), Decide(TEXT, questions))
    executor.flush()
    executor.close(cancel=False)
    ((_, answer),) = mailbox.wait(0)
    return answer


def own(model: BatchedModel, one: TypedQuestion) -> Decision:
    """What the model says of the reply's first token."""
    probs, mass = shares(model, question(f"{one.text}\n\n{TEXT}", one.options), [[name] for name in one.options])
    return Decision(tuple(probs), mass)


@pytest.mark.parametrize("form", FORMS)
def test_decisions_are_the_models_own_first_token_in_one_request_for_all_questions(
    form: Decisions, server: Server, tiny: BatchedModel
) -> None:
    before = server.counts.requests
    answer = decided(server, form, QUEUE, TURNED, URGENT, TONE)
    assert server.counts.requests == before + 1
    assert isinstance(answer, Decided)
    queue, turned, urgent, tone = answer.decisions
    for found, expected in ((queue, own(tiny, QUEUE)), (turned, own(tiny, TURNED))):
        assert found.probs == pytest.approx(expected.probs, abs=1e-12)
        assert found.mass == (pytest.approx(expected.mass, abs=1e-12) if form == "systemone" else None)
    assert urgent == REFUSED
    assert len(tone.probs) == 3
    assert answer.usage == Usage(40, 4, cached=4 if form == "decisions" else 0)


@pytest.mark.parametrize("form", FORMS)
def test_a_class_of_several_tokens_is_refused_with_what_to_do(form: Decisions, server: Server) -> None:
    answer = decided(server, form, SPELLED)
    assert isinstance(answer, Refused)
    assert "how-to" in answer.problem and answer.problem.endswith("or method: score")


@pytest.mark.parametrize(
    ("plan", "form", "problem"),
    [
        (Plan(model="tiny"), "systemone", None),
        (Plan(model="tiny", forms=("decisions",)), "decisions", None),
        (Plan(model="tiny", forms=()), None, "404"),
        (Plan(), None, "501"),
    ],
)
def test_the_interface_of_a_server_is_found_before_a_run(
    plan: Plan, form: Decisions | None, problem: str | None
) -> None:
    with serving(plan) as one:
        target = Target(read_address(one.url), None, DecisionWire(), "tiny")
        found = examined(Transport(Settings(), Random(0)), target, {"decisions"})
    assert (found.can.decisions, found.problem) == (form, None)
    assert problem is None or f"status {problem}" in found.reasons["decisions"]
