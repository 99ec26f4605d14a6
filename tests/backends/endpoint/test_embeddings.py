from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.endpoint.dialogs import asked_of, ok, talk
from vsgen.backends.endpoint.embeddings import Embeddings
from vsgen.backends.endpoint.wire import Abilities, Said, Unreadable, Usage
from vsgen.values import Embed, Refused, Vector

CALL = Embed("a text")


def said(reply: object, status: int = 200) -> Said:
    return talk(Embeddings().dialog(CALL, "m", Abilities()), lambda _: ok(reply, status))


def reply(values: Any) -> dict[str, object]:
    item = {"object": "embedding", "index": 0, "embedding": values}
    return {"object": "list", "data": [item], "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}}


def test_a_text_is_asked_for_by_itself() -> None:
    path, body = asked_of(Embeddings().dialog(CALL, "m", Abilities()))
    assert path == "embeddings" and body == {"model": "m", "input": "a text", "encoding_format": "float"}


def test_a_vector_becomes_one_of_length_1() -> None:
    assert said(reply([3, 4.0])) == Said(Vector(struct.pack("<2e", 0.6, 0.8)), Usage(3))


@pytest.mark.parametrize("values", [None, [], "AAAA", [0.0, 0], [1, "2"], [True], [[1.0]], [1.7e308] * 9, [None]])
def test_what_has_no_direction_is_no_vector(values: Any) -> None:
    with pytest.raises(Unreadable):
        said(reply(values))


@given(st.lists(st.floats(-1e6, 1e6) | st.integers(-9, 1 << 63), max_size=8))
def test_any_numbers_are_a_unit_vector_or_asked_again(values: list[float]) -> None:
    try:
        answer = said(reply(values)).answer
    except Unreadable:
        return
    assert isinstance(answer, Vector)
    parts = struct.unpack(f"<{len(values)}e", answer.data)
    assert abs(sum(one * one for one in parts) - 1) < 0.01


def test_a_refusal_is_a_refusal() -> None:
    assert isinstance(said({"error": {"message": "input is empty"}}, 400).answer, Refused)
