"""Calls asked of a server of ours in a process of its own, and what became of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from random import Random
from typing import Any
from urllib.request import urlopen

from tests.endpoint.plan import Plan
from vsgen.backends.endpoint.address import read_address
from vsgen.backends.endpoint.chat import Chat
from vsgen.backends.endpoint.settings import Settings, Target
from vsgen.backends.endpoint.transport import Transport
from vsgen.backends.endpoint.wire import Abilities
from vsgen.engine.drive import drive
from vsgen.engine.mailbox import Mailbox
from vsgen.engine.source import Flows
from vsgen.flow import Flow, try_all
from vsgen.values import Completion, Generate, Message, Prompt, Refused


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of the calls."""

    seconds: float
    texts: list[str]
    """Of the replies, in the order of the calls."""
    refused: list[str]
    """Why others have none."""
    counts: dict[str, Any]
    """Of the server; see `tests.endpoint.server.Counts`."""

    @property
    def twice(self) -> int:
        """Usable replies that the server made beyond one for each call."""
        served: dict[str, int] = self.counts["served"]
        return sum(served.values()) - len(served)


@contextmanager
def process(plan: Plan) -> Iterator[str]:
    """The URL of a server in a process of its own."""
    command = [sys.executable, "-m", "tests.endpoint.server", json.dumps(asdict(plan))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.communicate()


def run(plan: Plan, calls: int, settings: Settings) -> Ran:
    """Ask so many calls through the engine, each a flow of its own."""

    def flow(number: int) -> Flow[Completion | Refused]:
        (answer,) = yield from try_all([Generate(Prompt((Message("user", f"Question {number}"),)), seed=number)])
        return answer

    with process(plan) as url:
        mailbox, begun = Mailbox(), time.perf_counter()
        target = Target(read_address(url), None, Chat(), "echo", Abilities(seed=True))
        executor = Transport(settings, Random(0)).executor(target, mailbox)
        try:
            answers = list(drive(Flows(flow(number) for number in range(calls)), {Generate: executor}, mailbox))
        finally:
            executor.close(cancel=True)
        seconds = time.perf_counter() - begun
        with urlopen(url.removesuffix("v1") + "counts") as counts:
            told = json.load(counts)
    texts = [answer.text for answer in answers if isinstance(answer, Completion)]
    return Ran(seconds, texts, [answer.problem for answer in answers if isinstance(answer, Refused)], told)
