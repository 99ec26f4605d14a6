"""What a call costs in the journal: its key, its line and its memory, each beside the formula of before versions."""

from __future__ import annotations

import base64
import os
import random
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path

import orjson

from vsgen.digests import DigestMap
from vsgen.files.journal import FileJournal, digest
from vsgen.values import Call, Completion, Generate, Message, Prompt, Reply

_ROUNDS, _TIMES = 5, 300
_PLACES = 300_000
_PROMPT = Prompt((Message("system", "You write rows. " * 20), Message("user", "Write one more of them. " * 30)))


def microseconds(work: Callable[[], object]) -> float:
    """CPU time of one call, the best of some rounds."""
    best = float("inf")
    for _ in range(_ROUNDS):
        start = time.process_time()
        for _ in range(_TIMES):
            work()
        best = min(best, (time.process_time() - start) / _TIMES)
    return best * 1e6


def old_key(call: Call) -> str:
    """As it was: a deep copy into dicts first."""
    asked = orjson.dumps(["m", "generate", asdict(call)], option=orjson.OPT_SORT_KEYS)
    return blake2b(asked, digest_size=16).hexdigest()


def old_line(key: str, call: Call, reply: Reply, file: int) -> None:
    """As it was."""
    asked = asdict(call)
    if asked.get("prefix"):
        asked["prefix"] = len(asked["prefix"])
    entry = {"key": key, "kind": "generate", "model": "m", "call": asked, "reply": asdict(reply)}
    os.write(file, orjson.dumps(entry, default=base64.b64encode) + b"\n")


def bench_cost() -> None:
    """Key and line of a reply of 400 tokens, and of a power call that continues 512 tokens by 64."""
    drawn, steps = Completion("word " * 400, tuple(range(1000, 1400)), -123.4, -120.1), tuple(-i / 7 for i in range(64))
    calls: list[tuple[str, Generate, Completion]] = [
        ("400 tokens", Generate(_PROMPT, seed=1), drawn),
        (
            "power, prefix of 512",
            Generate(_PROMPT, seed=1, prefix=tuple(range(1000, 1512)), resumable=True),
            Completion("word " * 576, tuple(range(64)), -12.3, -12.1, logps=steps, logqs=steps),
        ),
    ]
    with tempfile.TemporaryDirectory() as folder, FileJournal(Path(folder) / "journal") as journal:
        file = os.open(Path(folder) / "old", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for what, call, reply in calls:
            key = digest("m", call)
            old = microseconds(lambda: old_key(call)), microseconds(lambda: old_line(key, call, reply, file))  # noqa: B023
            new = microseconds(lambda: digest("m", call)), microseconds(lambda: journal.add(key, "m", call, reply))  # noqa: B023
            print(
                f"journal: {what:22} key {new[0]:5.1f} us, line {new[1]:5.1f} us, together {sum(new):6.1f} us"
                f" (before: {old[0]:.0f} + {old[1]:.0f}, {sum(old) / sum(new):.0f} times as much)"
            )
        os.close(file)


def bench_places() -> None:
    """Memory and time of the places of many calls; the peak while they grow included."""
    rng = random.Random(0)
    keys = [rng.randbytes(16) for _ in range(_PLACES)]
    tracemalloc.start()
    known: dict[bytes, tuple[int, int]] = {}
    for number, key in enumerate(keys):
        known[bytes(bytearray(key))] = (10_000 + number * 1500, 1500 + number % 9)
    old = tracemalloc.get_traced_memory()[1] / _PLACES
    del known
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    places = DigestMap(12)
    for key in keys:
        places[key] = bytes(12)
    new = (tracemalloc.get_traced_memory()[1] - before) / _PLACES
    tracemalloc.stop()
    start = time.process_time()
    for key in keys:
        places.get(key)
    found = (time.process_time() - start) / _PLACES * 1e6
    memory = f"{new:5.1f} bytes a call at the peak (before: {old:.0f})"
    print(f"journal: places of {_PLACES} calls       {memory}, found in {found:.1f} us")


def main() -> None:
    """Print every figure."""
    bench_cost()
    bench_places()
