"""How much of an endpoint's capacity a run uses, in simulated time: the flows and the engine of a run, no network.

An endpoint takes 64 requests at once; a request takes as long as a log-normal distribution with a mean of 1 s says; one
in fifty may hang 30 s, or 5 s where a timeout ends it and it is sent again. 2,000 draws by verbalized sampling,
k = 5, with or without a soft label that the same endpoint scores; an embedder takes 1 ms a text. The bound is the
seconds of all requests divided by 64: what is reached by whoever keeps all 64 busy to the end. A request that hangs
near the end keeps the others idle, and nobody can foresee it: the peer is the same requests sent one after the other as
soon as there is room, as if none had to wait for what another one says.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from heapq import heapreplace
from random import Random
from statistics import fmean
from typing import NamedTuple
from zlib import crc32

import numpy as np

from tests.engine.virtual import Batches, Clock, Server
from vsgen.dedup.index import Index
from vsgen.dedup.settings import Dedup
from vsgen.engine.drive import drive
from vsgen.engine.source import Flows
from vsgen.flows.draw import Pipeline, Quota
from vsgen.ports import Executor
from vsgen.template.load import load_template
from vsgen.values import Answer, Call, Completion, Embed, Generate, Models, Row, Score, Scores, Vector

_DRAWS = 2000
_AT_ONCE = 64
_SPREAD = 0.5
"""Standard deviation of the logarithm of the latency."""
_HANGING = 0.02
_SEEDS = range(3)


class Found(NamedTuple):
    """What a run came to."""

    share: float
    """Of the bound."""
    peer: float
    """Of the bound, where no request waits for another."""
    first: float
    """Simulated seconds until the first row."""
    cpu: float
    """Seconds that the run itself took, on this machine."""


def answer(call: Call) -> Answer:
    """What endpoint and embedder reply: five new texts, scores, a vector of its own for each text."""
    match call:
        case Generate():
            texts = [
                {"text": f"ticket {call.seed % 10**12} variant {'abcde'[i]}", "probability": 0.1} for i in range(5)
            ]
            return Completion(json.dumps({"responses": texts}), tuple(range(60)))
        case Score():
            return Scores((-1.0,) * len(call.choices))
        case Embed():
            vector = np.random.default_rng(crc32(call.text.encode())).standard_normal(64)
            return Vector((vector / np.linalg.norm(vector)).astype("<f2").tobytes())
        case _:
            raise TypeError(type(call).__name__)


def latency(seed: int, hang: float) -> Callable[[Call], float]:
    """Seconds of a request; the same for the same call, whenever it is sent."""

    def seconds(call: Call) -> float:
        rng = Random(f"{seed}/{crc32(repr(call).encode())}")
        plain = rng.lognormvariate(-(_SPREAD**2) / 2, _SPREAD)
        hangs = rng.random() < _HANGING
        if not hang or not hangs:
            return plain
        return hang if hang > 10 else hang + plain

    return seconds


def simulate(seed: int, hang: float, *, labels: bool) -> Found:
    """Run once; `hang` is the seconds that a hanging request is lost for, 0 for none."""
    template = load_template("support-tickets", [] if labels else ["labels=[]"])
    pipeline = Pipeline(template, seed=seed, models=Models("m"), index=Index(Dedup(threshold=0.92)), quota=Quota(None))
    clock = Clock()
    server = Server(clock, answer, latency(seed, hang), limit=_AT_ONCE)
    embedder = Batches(clock, answer, seconds=0.001)
    executors: dict[type[Call], Executor] = {Generate: server, Score: server, Embed: embedder}
    begun, first, rows = time.process_time(), 0.0, 0
    for outcome in drive(Flows(pipeline.draw(Row(0), number) for number in range(_DRAWS)), executors, clock):
        first = first or clock.now
        rows += outcome.candidates
    assert rows == 5 * _DRAWS
    bound = sum(server.took) / _AT_ONCE
    return Found(bound / clock.now, bound / unordered(server.took), first, time.process_time() - begun)


def unordered(took: Sequence[float]) -> float:
    """Seconds until all requests are answered that are sent in this order as soon as there is room."""
    ends = [0.0] * _AT_ONCE
    for seconds in took:
        heapreplace(ends, ends[0] + seconds)
    return max(ends)


def main() -> None:
    """Print the table."""
    print(f"share of the bound: {_DRAWS} draws of 5, {_AT_ONCE} requests at once, mean of {len(_SEEDS)} seeds (peer)")
    for labels in (True, False):
        for name, hang in (("no request hangs", 0.0), ("2 % hang 30 s", 30.0), ("2 % hang, 5 s timeout", 5.0)):
            found = [simulate(seed, hang, labels=labels) for seed in _SEEDS]
            share, peer = (fmean(each) for each in zip(*[(one.share, one.peer) for one in found], strict=True))
            what = f"{'with' if labels else 'without'} labels, {name}"
            rest = f"first row after {found[0].first:.1f} s, CPU {found[0].cpu:.1f} s"
            print(f"  {what:<42}{share:>6.3f} ({peer:.3f})   {rest}", flush=True)
