"""Requests a second and CPU a request of endpoints, against the bare aiohttp client on the same server."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import NamedTuple, TypeAlias

import aiohttp
import orjson

from vsgen.__main__ import COLLECT
from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.limits import Ceiling
from vsgen.backends.endpoint.server import Server
from vsgen.backends.endpoint.settings import Settings, Target
from vsgen.backends.endpoint.transport import Transport
from vsgen.backends.endpoint.wire import Abilities
from vsgen.engine.drive import drive
from vsgen.engine.mailbox import Mailbox
from vsgen.engine.source import Flows
from vsgen.files.places import Places
from vsgen.flow import Flow, ask
from vsgen.jobs.carry import Carried
from vsgen.jobs.generate import GenerateOptions, Generation
from vsgen.jobs.wanted import ModelChoice
from vsgen.values import Completion, Generate, Message, Prompt

CALLS = 2000
ROWS = 5
"""Of each reply of the server."""
TEMPLATE, SETTINGS = "support-tickets", ("dedup=false", "labels=[]")
_TURNS = 3
_PROMPT = Prompt((Message("system", "You write support tickets."), Message("user", "Write five of them, as JSON.")))

Client: TypeAlias = Callable[[str, int, Path], None]


class Figures(NamedTuple):
    """Of one run."""

    rate: float
    """Requests a second."""
    cpu: float
    """Milliseconds of CPU a request."""


def bare(url: str, together: int, folder: Path) -> None:
    """What anyone would write: a session, as many tasks as may be in flight, and a line for each answer."""

    async def work(session: aiohttp.ClientSession, numbers: Iterator[int]) -> None:
        for number in numbers:
            messages = [{"role": one.role, "content": one.content} for one in _PROMPT.messages]
            body = orjson.dumps({"model": "m", "messages": messages, "max_tokens": 512, "seed": number})
            async with session.post(f"{url}/chat/completions", data=body) as response:
                text = orjson.loads(await response.read())["choices"][0]["message"]["content"]
            lines.write(b"".join(orjson.dumps(one) + b"\n" for one in orjson.loads(text)["responses"]))

    async def run() -> None:
        numbers = iter(range(CALLS))
        headers = {"content-type": "application/json"}
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as session:
            await asyncio.gather(*(work(session, numbers) for _ in range(together)))

    with (folder / "bare.jsonl").open("wb", buffering=0) as lines:
        asyncio.run(run())


def wire(url: str, together: int, folder: Path) -> None:
    """The engine and the executor alone, with flows that ask one call each."""

    def flow(number: int) -> Flow[Completion]:
        return (yield from ask(Generate(_PROMPT, seed=number)))

    mailbox = Mailbox()
    transport = Transport(Settings(Ceiling(together, together)), Random(0))
    executor = transport.executor(Target(read_address(url), None, Chat(), "m", Abilities(seed=True)), mailbox)
    try:
        for _ in drive(Flows(flow(number) for number in range(CALLS)), {Generate: executor}, mailbox):
            pass
    finally:
        executor.close(cancel=True)


def whole(url: str, together: int, folder: Path) -> None:
    """What ``vsgen run`` does: prompts, journal, parsing, validation, and five rows written for each reply."""
    choice = ModelChoice("m", server=Server(read_address(url)), http=Settings(Ceiling(together, together)))
    places = Places(folder / "whole.jsonl", overwrite=True)
    options = GenerateOptions(TEMPLATE, SETTINGS, num=ROWS * CALLS, model=choice, places=places)
    made = sum(len(each.values) for each in Carried(Generation(options), warn=lambda _: None))
    assert made == ROWS * CALLS


@contextmanager
def served() -> Iterator[str]:
    """The URL of a server that costs next to nothing, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.instant"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.communicate()


def _measured(client: Client, url: str, together: int) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        client(url, together, Path(folder))
        return Figures(CALLS / (time.perf_counter() - wall), (time.process_time() - cpu) / CALLS * 1000)


def _share(runs: list[Figures], of: list[Figures]) -> float:
    """Of the requests a second, run by run: they come in pairs, since the machine's speed drifts."""
    return median(ours.rate / theirs.rate for ours, theirs in zip(runs, of, strict=True))


def main() -> None:
    """Measure all in turn; the middle of the rates and of their shares, and the least CPU."""
    gc.set_threshold(*COLLECT)  # as the command does; here for the bare client as well
    for together in (64, 256):
        runs: dict[str, list[Figures]] = {"bare aiohttp": [], "the wire alone": [], "vsgen run": []}
        with served() as url:
            for _ in range(_TURNS):
                for found, client in zip(runs.values(), (bare, wire, whole), strict=True):
                    found.append(_measured(client, url, together))
        print(f"endpoint, {together} in flight ({ROWS} rows a reply)      requests/s  of bare  ms CPU a request")
        for name, found in runs.items():
            share, cpu = _share(found, runs["bare aiohttp"]), min(one.cpu for one in found)
            print(f"  {name:40} {median(one.rate for one in found):10,.0f} {share:8.0%} {cpu:10.2f}")
        pipeline = min(w.cpu - t.cpu for w, t in zip(runs["vsgen run"], runs["the wire alone"], strict=True))
        print(f"  of vsgen run's the pipeline's {pipeline:.2f} ms (limit 0.20), all together limit 0.75 ms")


if __name__ == "__main__":
    main()
