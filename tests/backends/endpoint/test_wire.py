"""A dialog asks until a response can be read, and knows nothing of how it is sent."""

from __future__ import annotations

import pytest

from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.wire import Dialog, Said, Unreadable, Usage, asked
from vsgen.values import Completion


def read(response: Response) -> str:
    if not response.body:
        raise Unreadable("it is empty")
    return response.body.decode()


def dialog() -> Dialog:
    first = yield from asked(Request("chat/completions", b"{}"), read)
    second = yield from asked(Request("chat/completions", first.encode()), read)
    return Said(Completion(first + second), Usage(1, 2) + Usage(3, 4))


def test_a_response_that_cannot_be_read_is_complained_of_until_one_can() -> None:
    talk = dialog()
    assert next(talk) == Request("chat/completions", b"{}")
    for _ in range(3):
        complaint = talk.send(Response(200))
        assert isinstance(complaint, Unreadable)
        assert str(complaint) == "it is empty"
    assert talk.send(Response(200, body=b"one")) == Request("chat/completions", b"one")
    with pytest.raises(StopIteration) as end:
        talk.send(Response(200, body=b"two"))
    assert end.value.value == Said(Completion("onetwo"), Usage(4, 6))
    assert Usage(4, 6).total == 10
