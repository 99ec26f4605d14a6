from __future__ import annotations

from random import Random

import pytest

from tests.endpoint.plan import Plan, Trouble
from tests.endpoint.server import serving
from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.breaker import Run
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.examined import _PATIENCE, examined
from vsgen.backends.endpoint.settings import Settings, Target
from vsgen.backends.endpoint.transport import Transport
from vsgen.errors import EndpointError


def test_a_server_is_examined_over_its_socket_though_some_replies_are_unusable() -> None:
    with serving(Plan(model="tiny", script=("429", "garbage"))) as server:
        target = Target(read_address(server.url), None, Chat(), "tiny")
        found = examined(Transport(Settings(), Random(0)), target, {"json_schema", "prompt_logprobs", "top_logprobs"})
    assert found.problem is None
    assert (found.can.json_schema, found.can.prompt_logprobs, found.can.top_logprobs) == ("full", True, 20)


def test_a_key_that_is_not_accepted_ends_the_examination() -> None:
    with serving(Plan(model="tiny", script=("401",))) as server:
        target = Target(read_address(server.url), None, Chat(), "tiny")
        with pytest.raises(EndpointError, match="key"):
            examined(Transport(Settings(), Random(0)), target)


def problem(plan: Plan, model: str) -> str:
    with serving(plan) as server:
        target = Target(read_address(server.url), None, Chat(), model)
        try:
            found = examined(Transport(Settings(), Random(0)), target)
        except EndpointError as error:
            return str(error)
    assert found.problem is not None
    return found.problem


@pytest.mark.parametrize("trouble", ["404", "400"])
def test_a_model_that_the_server_has_not_is_answered_with_those_that_it_has(trouble: Trouble) -> None:
    assert problem(Plan(script=(trouble,), model="tiny"), "other").endswith("; the server lists tiny")
    assert "lists" not in problem(Plan(script=(trouble,), model="tiny"), "tiny")


def test_a_server_whose_replies_cannot_be_read_is_quoted() -> None:
    assert "status 200, but no JSON" in problem(Plan(shares={"type": 1.0}), "echo")


def test_an_ability_is_seen_though_three_of_four_replies_are_unusable() -> None:
    with serving(Plan(script=(None, "garbage", "500", "garbage"))) as server:
        target = Target(read_address(server.url), None, Chat(), "echo")
        assert examined(Transport(Settings(), Random(0)), target, {"stop"}).can.stop


def test_a_server_that_is_away_ends_an_examination_by_the_breaker_and_lacks_no_ability() -> None:
    assert _PATIENCE.away > Run().seconds
