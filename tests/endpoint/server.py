"""The server of the fault suite: OpenAI's API on a loopback port, with planned faults, counting all that it does.

In a thread of a test: ``with serving(Plan(script=("429",))) as server: ... server.counts``. As a process of its own, to
which nothing that happens to the client can happen: ``python -m tests.endpoint.server '{"shares": {"500": 0.05}}'``. It
prints its URL, answers ``GET /counts`` and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Any

from aiohttp import web

from tests.endpoint.own_decisions import NotOneToken, OwnDecisions
from tests.endpoint.own_model import Blamed, OwnModel
from tests.endpoint.plan import ANSWERED, Plan, Trouble

_CHAT = "/v1/chat/completions"
_COMPLETIONS = "/v1/completions"
_DECISIONS = "/v1/"
_HUGE = 9 * 2**20


@dataclass
class Counts:
    """What a server did."""

    requests: int = 0
    troubles: Counter[str] = field(default_factory=Counter)
    paths: Counter[str] = field(default_factory=Counter)
    """Requests by route."""
    served: Counter[str] = field(default_factory=Counter)
    """Usable replies, by the digest of what was asked."""
    together: int = 0
    """The most requests at once."""
    keys: Counter[str] = field(default_factory=Counter)
    """What stood in the header that carries a key."""
    connections: set[int] = field(default_factory=set)

    def told(self) -> dict[str, Any]:
        """As JSON says it."""
        return vars(self) | {"connections": len(self.connections)}


class Server:
    """One server, within one loop."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.counts = Counts()
        self.url = ""
        self._now = 0
        self._computing = asyncio.Lock()
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._port = 0
        self._mortal: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen."""
        _bomb()
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_get("/counts", self._tell)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post(_CHAT, self._post)
        app.router.add_post(_COMPLETIONS, self._post)
        for form in self.plan.forms:
            app.router.add_post(f"{_DECISIONS}{form}", self._post)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await self._listen()
        self.url = f"http://127.0.0.1:{self._port}/v1"

    async def stop(self) -> None:
        """Listen no more, and break off what is under way."""
        if self._mortal is not None:
            self._mortal.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _listen(self) -> None:
        assert self._runner is not None
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await self._site.start()
        self._port = self._runner.addresses[0][1]

    async def _die(self, after: float, seconds: float) -> None:
        """Go away for a while: no port, and every connection broken."""
        await asyncio.sleep(after)
        assert self._site is not None
        assert self._runner is not None
        assert self._runner.server is not None
        await self._site.stop()
        for protocol in self._runner.server.connections:
            if protocol.transport is not None:
                protocol.transport.abort()
        await asyncio.sleep(seconds)
        await self._listen()

    async def _tell(self, _: web.Request) -> web.Response:
        return web.json_response(self.counts.told())

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": self.plan.model or "echo", "object": "model"}]})

    async def _post(self, request: web.Request) -> web.StreamResponse:
        body, number = await request.read(), self.counts.requests
        self.counts.requests += 1
        self.counts.paths[request.path] += 1
        self.counts.keys[request.headers.get("authorization", "")] += 1
        self.counts.connections.add(id(request.transport))
        if number == 0 and self.plan.dead is not None:
            self._mortal = asyncio.create_task(self._die(*self.plan.dead))
        trouble = self._crowded(request) or self.plan.trouble(number)
        if trouble is not None:
            self.counts.troubles[trouble] += 1
        self._now += 1
        self.counts.together = max(self.counts.together, self._now)
        try:
            await asyncio.sleep(self.plan.delay(number))
            return await self._answered(request, body, trouble)
        finally:
            self._now -= 1

    def _crowded(self, request: web.Request) -> Trouble | None:
        if self.plan.key is not None and request.headers.get("authorization") != f"Bearer {self.plan.key}":
            return "401"
        if self.plan.expires is not None and self.counts.requests > self.plan.expires:
            return "401"
        return "429" if self.plan.together is not None and self._now >= self.plan.together else None

    async def _answered(self, request: web.Request, body: bytes, trouble: Trouble | None) -> web.StreamResponse:
        if trouble is not None and trouble not in ANSWERED:
            return await self._failed(request, trouble)
        asked = json.loads(body)
        try:
            made = await self._made(request.path, asked)
        except (Blamed, NotOneToken) as problem:
            return _error(400, str(problem))
        if made is None:
            return _error(501, "This model has no read strategy for structured decisions")
        if trouble == "echo-key":
            made["choices"][0]["message"]["content"] = json.dumps(dict(request.headers))
        self.counts.served[digest(asked)] += 1
        reply = json.dumps(_spoiled(made, trouble)).encode()
        if trouble == "drip":
            return await _dripped(request, reply)
        if trouble == "gzip":
            packer = zlib.compressobj(wbits=31)
            reply = packer.compress(reply) + packer.flush()
            return _said(reply, headers={"content-encoding": "gzip"})
        return _said(reply)

    async def _made(self, path: str, asked: dict[str, Any]) -> dict[str, Any] | None:
        """The reply; None where the model gives none of this kind."""
        if self.plan.model is None:
            return chat(asked, self.plan.text) if path in {_CHAT, _COMPLETIONS} else None
        own = _opened(self.plan.model, self.plan.processed)
        async with self._computing:
            return await asyncio.to_thread(self._answer(path, own), asked)

    def _answer(self, path: str, own: OwnModel) -> Callable[[dict[str, Any]], dict[str, Any]]:
        if path in {_CHAT, _COMPLETIONS}:
            return own.chat if path == _CHAT else own.completions
        deciding = OwnDecisions(own.model, self.plan.refused)
        return deciding.systemone if path.endswith("systemone") else deciding.decisions

    async def _failed(self, request: web.Request, trouble: Trouble) -> web.StreamResponse:
        if trouble in _UNUSABLE:
            return _UNUSABLE[trouble]()
        match trouble:
            case "429" | "429-after" | "429-date":
                return _error(429, "Rate limit reached", headers=self._retry(trouble))
            case "400" | "401" | "404" | "500" | "503":
                return _error(int(trouble), self.plan.words)
            case "redirect":
                return web.Response(status=307, headers={"location": self.plan.elsewhere})
            case _:
                return await _broken(request, trouble)

    def _retry(self, trouble: Trouble) -> dict[str, str]:
        if trouble == "429":
            return {}
        until = datetime.now(UTC) + timedelta(seconds=self.plan.after)
        return {"retry-after": str(self.plan.after) if trouble == "429-after" else format_datetime(until, usegmt=True)}


def digest(asked: dict[str, Any]) -> str:
    """Names what was asked: the prompt and the seed, or the text and the questions."""
    told = [asked.get(name) for name in ("messages", "prompt", "seed")]
    told += [asked[name] for name in ("state", "input", "questions") if name in asked]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def chat(asked: dict[str, Any], text: str | None = None) -> dict[str, Any]:
    """A completion as OpenAI's API has it, which says this, or repeats a digest of what was asked."""
    message = {"role": "assistant", "content": f"reply to {digest(asked)}" if text is None else text}
    return {
        "id": f"chatcmpl-{digest(asked)}",
        "object": "chat.completion",
        "created": 1,
        "model": asked["model"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


def _spoiled(reply: dict[str, Any], trouble: Trouble | None) -> dict[str, Any]:
    """A reply that a limit or a filter has cut."""
    choice = reply["choices"][0] if "choices" in reply else {}
    if trouble == "length":
        choice["message"]["content"], choice["finish_reason"] = choice["message"]["content"][:3], "length"
    if trouble == "filtered":
        choice["message"]["content"], choice["finish_reason"] = "", "content_filter"
    return reply


def _said(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    error = {"error": {"message": message, "type": "trouble", "param": None, "code": None}}
    return _said(json.dumps(error).encode(), status=status, headers=headers)


async def _dripped(request: web.Request, reply: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "application/json"})
    await response.prepare(request)
    for start in range(0, len(reply), 20):
        await response.write(reply[start : start + 20])
        await asyncio.sleep(0.01)
    return response


async def _broken(request: web.Request, trouble: Trouble) -> web.StreamResponse:
    """No response, or half of one."""
    if trouble == "hang":
        await asyncio.sleep(3600)
    response = web.StreamResponse(headers={"content-type": "application/json", "content-length": "1000"})
    if trouble == "cut":
        await response.prepare(request)
        await response.write(b'{"choices": [')
    if request.transport is not None:
        request.transport.abort()
    return response


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(1, wbits=31)
    zeros = bytes(2**20)
    return b"".join(packer.compress(zeros) for _ in range(64)) + packer.flush()


_UNUSABLE: dict[Trouble, Callable[[], web.Response]] = {
    "error-200": lambda: _error(200, "The engine is overloaded"),
    "garbage": lambda: _said(b'{"choices": [{"message": {"role": "assistant", "con'),
    "type": lambda: web.Response(text="<html><body>Bad gateway</body></html>", content_type="text/html"),
    "huge": lambda: _said(b'{"choices": "%s"}' % (b"x" * _HUGE)),
    "surrogate": lambda: _said(rb'{"choices": [{"message": {"content": "a\ud800"}, "finish_reason": "stop"}]}'),
    "deep": lambda: _said(b"[" * 10_000 + b"]" * 10_000),
    "bomb": lambda: _said(_bomb(), headers={"content-encoding": "gzip"}),
}


@cache
def _opened(model: str, processed: bool) -> OwnModel:
    return OwnModel(model, processed=processed)


@contextmanager
def serving(plan: Plan) -> Iterator[Server]:
    """A server in a thread of its own."""
    loop, server = asyncio.new_event_loop(), Server(plan)
    thread = threading.Thread(target=loop.run_forever, name="server", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result()
        yield server
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _served(plan: Plan) -> None:
    server = Server(plan)
    await server.start()
    print(server.url, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()


def _plan(text: str) -> Plan:
    given = json.loads(text)
    tuples = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    return Plan(**(given | tuples))


if __name__ == "__main__":
    asyncio.run(_served(_plan(sys.argv[1])))
