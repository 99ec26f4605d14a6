"""Requests a second and CPU a request of endpoints, against the bare aiohttp client on the same server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from statistics import median

import aiohttp
import orjson

from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.limits import Ceiling
from vsgen.backends.endpoint.settings import Settings, Target
from vsgen.backends.endpoint.transport import Transport
from vsgen.backends.endpoint.wire import Abilities
from vsgen.engine.drive import drive
from vsgen.engine.mailbox import Mailbox
from vsgen.engine.source import Flows
from vsgen.flow import Flow, ask
from vsgen.values import Completion, Generate, Message, Prompt

_CALLS = 3000
_TURNS = 5
_PROMPT = Prompt((Message("system", "You write support tickets."), Message("user", "Write five of them, as JSON.")))


def _call(number: int) -> Generate:
    return Generate(_PROMPT, seed=number)


def _bare(url: str, together: int) -> None:
    """What anyone would write: a session, and as many tasks as may be in flight."""

    async def work(session: aiohttp.ClientSession, numbers: Iterator[int]) -> None:
        for number in numbers:
            messages = [{"role": one.role, "content": one.content} for one in _PROMPT.messages]
            body = orjson.dumps({"model": "m", "messages": messages, "max_tokens": 512, "seed": number})
            async with session.post(f"{url}/chat/completions", data=body) as response:
                orjson.loads(await response.read())["choices"][0]["message"]["content"]

    async def run() -> None:
        numbers = iter(range(_CALLS))
        headers = {"content-type": "application/json"}
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as session:
            await asyncio.gather(*(work(session, numbers) for _ in range(together)))

    asyncio.run(run())


def _ours(url: str, together: int) -> None:
    """The engine with flows that ask one call each."""

    def flow(number: int) -> Flow[Completion]:
        return (yield from ask(_call(number)))

    mailbox = Mailbox()
    transport = Transport(Settings(Ceiling(together, together)), Random(0))
    target = Target(read_address(url), None, Chat(), "m", Abilities(seed=True))
    executor = transport.executor(target, mailbox)
    try:
        for _ in drive(Flows(flow(number) for number in range(_CALLS)), {Generate: executor}, mailbox):
            pass
    finally:
        executor.close(cancel=True)


@contextmanager
def _served() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.bench.instant"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.communicate()


def _measured(run: Callable[[str, int], None], url: str, together: int) -> tuple[float, float]:
    """Requests a second, and milliseconds of CPU a request."""
    wall, cpu = time.perf_counter(), time.process_time()
    run(url, together)
    return _CALLS / (time.perf_counter() - wall), (time.process_time() - cpu) / _CALLS * 1000


def main() -> None:
    """Measure both in turn; the middle of the rates and the least of the CPU."""
    for together in (64, 256):
        with _served() as url:
            runs = [(_measured(_bare, url, together), _measured(_ours, url, together)) for _ in range(_TURNS)]
        bare, ours = ((median(pair[i][0] for pair in runs), min(pair[i][1] for pair in runs)) for i in (0, 1))
        print(
            f"endpoint, {together} in flight: {ours[0]:,.0f} requests/s, {ours[1]:.2f} ms CPU a request; "
            f"bare aiohttp {bare[0]:,.0f}, {bare[1]:.2f} ms: {ours[0] / bare[0]:.0%} of its requests/s"
        )


if __name__ == "__main__":
    main()
