"""The models that a server lists."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vsgen.backends.endpoint.http import Response
from vsgen.backends.endpoint.listed import Listed, embed_word, list_models


def listed(body: Any, status: int = 200, wire: str = "chat") -> list[Listed] | None:
    asking = list_models(wire)
    request = next(asking)
    assert (request.path, request.body) == ("models", b"")
    with pytest.raises(StopIteration) as end:
        asking.send(Response(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode()))
    found: list[Listed] | None = end.value.value
    return found


@pytest.mark.parametrize(
    "said",
    [{"max_model_len": 512}, {"context_length": 512}, {"context_window": 512}, {"meta": {"n_ctx": 512}}],
)
def test_a_model_has_its_name_and_the_context_that_the_server_states(said: dict[str, Any]) -> None:
    assert listed({"data": [{"id": "m", **said}, {"id": "other"}]}) == [Listed("m", 512), Listed("other")]


@pytest.mark.parametrize("body", [b"<html>", {"data": 1}, {"error": "x"}, [1], {}])
def test_what_is_no_list_is_none(body: Any) -> None:
    assert listed(body) is None
    assert listed({"data": []}, status=400) is None


def test_what_is_no_model_is_left_out_and_names_cannot_move_a_terminal() -> None:
    body = {"data": [None, {"id": 1}, {"id": ""}, {"id": "a\x1b[2Jb", "context_length": "long"}, {"id": "c"}]}
    assert listed(body) == [Listed("a\\x1b[2Jb"), Listed("c")]


def test_a_vector_says_how_many_components_it_has() -> None:
    for body, size in (({"data": [{"embedding": [1.0, 2.0, 2.0]}]}, 3), ({"data": []}, None)):
        asking = embed_word("m")
        next(asking)
        with pytest.raises(StopIteration) as end:
            asking.send(Response(200, {}, json.dumps(body).encode()))
        assert end.value.value == size
