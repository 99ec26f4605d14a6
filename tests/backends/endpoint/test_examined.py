from __future__ import annotations

from random import Random

import pytest

from tests.endpoint.plan import Plan
from tests.endpoint.server import serving
from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.examined import examined
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
