"""A provider's batch service: has each request of a batch file answered by a server, and writes the results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from pydantic import BaseModel, ConfigDict

Result = dict[str, Any]
Spoil = Callable[[list[Result]], Iterable[Result]]
"""What becomes of the results on their way."""


class BatchRequestInput(BaseModel):
    """A line as ``vllm run-batch`` documents it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    custom_id: str
    method: str
    url: str
    body: dict[str, Any]


def requests(path: Path) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The name, the route and the body of each request of a file of either form."""
    text = path.read_text()
    if text.startswith('{"requests":['):
        yield from ((one["custom_id"], "/v1/messages", one["params"]) for one in json.loads(text)["requests"])
        return
    for line in text.splitlines():
        asked = BatchRequestInput.model_validate_json(line)
        assert asked.method == "POST"
        yield asked.custom_id, asked.url, asked.body


def answered(path: Path, url: str, out: Path, spoil: Spoil = iter) -> Path:
    """Write the results of a file, in the form that belongs to it; `url` is the server's, with ``/v1``."""
    results = [
        _result(name, *_post(url.removesuffix("/v1") + route, body), route) for name, route, body in requests(path)
    ]
    out.write_text("".join(f"{json.dumps(one)}\n" for one in spoil(results)))
    return out


def _post(url: str, body: Mapping[str, Any]) -> tuple[int, Any]:
    request = Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urlopen(request) as reply:
            return reply.status, json.load(reply)
    except HTTPError as error:
        return error.code, json.loads(error.read())


def _result(name: str, status: int, body: Any, route: str) -> Result:
    if route == "/v1/messages":
        good = {"type": "succeeded", "message": body}
        return {"custom_id": name, "result": good if status < 300 else {"type": "errored", "error": body}}
    response = {"status_code": status, "request_id": "r", "body": body}
    return {"id": f"batch_req_{name}", "custom_id": name, "response": response, "error": None}


def shuffled(seed: int) -> Spoil:
    """Results in another order."""
    return lambda results: Random(seed).sample(results, len(results))


def lossy(seed: int) -> Spoil:
    """Results of which some are lost, doubled, expired, errors, or no replies, in another order."""

    def spoil(results: list[Result]) -> Sequence[Result]:
        rng = Random(seed)
        spoiled = [one for result in results for one in rng.choice(_kinds(result))(result)]
        some = any(one["custom_id"] != "request-1" for one in spoiled)  # a file without any is refused
        return rng.sample(spoiled, len(spoiled)) if some else results

    return spoil


def _failed(status: int, message: str) -> Callable[[Result], list[Result]]:
    body = {"error": {"message": message, "type": "trouble"}}
    return lambda result: [result | {"response": {"status_code": status, "request_id": "r", "body": body}}]


def _kinds(result: Result) -> Sequence[Callable[[Result], list[Result]]]:
    """What may happen to a result; what counts as an attempt happens to no last one."""
    last = result["custom_id"].endswith("-3")
    return _KINDS if last else (*_KINDS, _failed(500, "It went wrong"), _failed(200, "overloaded"))


_KINDS: Sequence[Callable[[Result], list[Result]]] = (
    *[lambda result: [result]] * 5,
    lambda result: [],
    lambda result: [result, result],
    lambda result: [result | {"response": None, "error": {"code": "batch_expired", "message": "late"}}],
    lambda result: [result | {"custom_id": "request-1"}],
    _failed(429, "Too many"),
)
