"""A line of results becomes what it would have been over HTTP, or nothing that anyone invented."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from vsgen.backends.endpoint.batch.lines import Lost, read_result
from vsgen.backends.endpoint.batch.names import Name, name_of, read_name
from vsgen.backends.endpoint.http import Request, Response

NAME = Name("0123456789abcdef" * 2, 1, 1)
BODY: dict[str, Any] = {"choices": []}
ERROR = {"type": "invalid_request_error", "message": "too long"}


def came(**members: Any) -> Response | Lost:
    result = read_result(orjson.dumps({"id": "x", "custom_id": str(NAME), **members}))
    assert result is not None
    assert result.name == NAME
    return result.came


def test_a_name_is_read_as_it_was_written_and_fits_every_provider() -> None:
    name = name_of("ab" * 16, Request("chat/completions", b"{}"), 12)
    assert read_name(str(name)) == name
    assert len(str(name)) <= 64
    assert set(str(name)) <= set("0123456789abcdef-")


@pytest.mark.parametrize(
    ("key", "request_"),
    [("cd" * 16, Request("chat/completions", b"{}")), ("ab" * 16, Request("chat/completions", b"[]"))],
)
def test_another_call_or_another_request_has_another_name(key: str, request_: Request) -> None:
    assert name_of(key, request_, 1).digest != name_of("ab" * 16, Request("chat/completions", b"{}"), 1).digest


@pytest.mark.parametrize(
    ("members", "status", "body"),
    [
        ({"response": {"status_code": 200, "body": BODY}, "error": None}, 200, BODY),
        ({"response": {"status_code": 400, "body": {"error": ERROR}}, "error": None}, 400, {"error": ERROR}),
        ({"response": {"status_code": 400, "body": None}, "error": ERROR}, 400, {"error": ERROR}),  # vLLM
        ({"response": {"status_code": 400}, "error": "no such url"}, 400, {"error": "no such url"}),  # vLLM
        ({"result": {"type": "succeeded", "message": BODY}}, 200, BODY),
        ({"result": {"type": "errored", "error": {"type": "error", "error": ERROR}}}, 400, {"error": ERROR}),
        ({"result": {"type": "errored", "error": {"type": "overloaded_error"}}}, 529, None),
        ({"result": {"type": "errored", "error": None}}, 500, None),
    ],
)
def test_a_response_has_the_status_and_the_body_of_http(
    members: dict[str, Any], status: int, body: object | None
) -> None:
    response = came(**members)
    assert isinstance(response, Response)
    assert response.status == status
    assert body is None or orjson.loads(response.body) == body


@pytest.mark.parametrize(
    ("members", "blamed"),
    [
        ({"response": None, "error": {"code": "batch_expired", "message": "out of time"}}, False),
        ({"response": None, "error": {"code": "batch_cancelled", "message": "stopped"}}, False),
        ({"result": {"type": "canceled"}}, False),
        ({"result": {"type": "expired"}}, False),
        ({"response": None, "error": {"code": "request_timeout", "message": "slow"}}, True),
        ({"response": None, "error": None}, True),
        ({"response": {"status_code": "200", "body": BODY}, "error": None}, True),
        ({"response": {"status_code": True, "body": BODY}, "error": None}, True),
        ({"response": [], "error": 7}, True),
        ({"result": {"type": ["succeeded"]}}, True),
        ({"result": {}}, True),
    ],
)
def test_all_else_is_asked_again(members: dict[str, Any], blamed: bool) -> None:
    lost = came(**members)
    assert isinstance(lost, Lost)
    assert lost.blamed is blamed
    assert lost.why


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\x00\xff\xfe",
        b"[" * 10_000,
        b"[]",
        b'"text"',
        b"{}",
        b'{"custom_id": 7, "response": {}}',
        b'{"custom_id": "request-1", "response": {"status_code": 200, "body": {}}}',
        b'{"custom_id": "%s"}' % str(NAME).encode(),
        orjson.dumps({"custom_id": str(NAME), "method": "POST", "url": "/v1/chat/completions", "body": {}}),
    ],
)
def test_a_line_of_something_else_is_no_result(line: bytes) -> None:
    assert read_result(line) is None


def test_a_damaged_line_that_names_its_request_counts_as_an_attempt() -> None:
    line = b'{"custom_id": "%s", "response": {"status_code": 200, "body": {"a": "\\ud800"}}}' % str(NAME).encode()
    result = read_result(line)
    assert result is not None
    assert result.name == NAME
    assert isinstance(result.came, Lost)


def test_what_an_error_says_cannot_move_a_terminal() -> None:
    lost = came(response=None, error={"code": "x", "message": "\x1b[2J\r\nall is well" + "z" * 10_000})
    assert isinstance(lost, Lost)
    assert lost.why.isprintable()
    assert len(lost.why) <= 300
